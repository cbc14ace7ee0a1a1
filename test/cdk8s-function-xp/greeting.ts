import { ApiObject, App, Chart } from 'cdk8s';
import type { Composition, KubernetesObject } from '../../functions/cdk8s-function-xp/composition.ts';

/** A composite that has nothing to do with DNS. */
export function greeting(text: string, name = 'hello'): KubernetesObject {
  return { apiVersion: 'example.org/v1', kind: 'Greeting', metadata: { name }, spec: { text } };
}

/** A minimal composition of one ConfigMap. Refuses an empty text. */
export const greetings: Composition = {
  conditionTypes: ['Greeted', 'Answered'],
  render({ metadata, spec }) {
    if (spec.text === '') throw new Error('spec.text is empty: set a text');
    const chart = new Chart(new App(), 'greeting');
    new ApiObject(chart, 'words', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: metadata.name, namespace: 'default' },
      data: { text: spec.text },
    });
    return {
      chart,
      status: { length: spec.text.length },
      conditions: [
        { type: 'Greeted', status: 'True', reason: 'Sent' },
        { type: 'Answered', status: 'Unknown', reason: 'NoAnswer', message: 'no greeting received' },
      ],
    };
  },
};

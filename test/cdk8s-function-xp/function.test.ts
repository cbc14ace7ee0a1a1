import {
  Ready,
  Requirements,
  RunFunctionResponse,
  Severity,
  Status,
  Target,
} from '@crossplane-org/function-sdk-typescript';
import { ApiObject, App, Chart, JsonPatch } from 'cdk8s';
import { ConfigMap } from 'cdk8s-plus-28';
import { Construct } from 'constructs';
import { describe, expect, test } from 'vitest';
import type { Composition, KubernetesObject, Rendering } from '../../functions/cdk8s-function-xp/composition.ts';
import { run } from '../../functions/cdk8s-function-xp/function.ts';
import { requestFor } from './client.ts';
import { greeting, greetings } from './greeting.ts';

const composite = greeting('hi');

/** A composition of the objects that `build` adds to a chart. */
function composing(build: (chart: Chart) => void, rest: Partial<Rendering> = {}): Composition {
  return {
    conditionTypes: ['A', 'B'],
    render() {
      const chart = new Chart(new App(), 'chart');
      build(chart);
      return { chart, ...rest };
    },
  };
}

function configMap(scope: Construct, id: string, fields: Record<string, unknown> = {}, name = id): ApiObject {
  return new ApiObject(scope, id, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, ...fields });
}

function refusal(composition: Composition): string | undefined {
  return run(requestFor(composite), composition).results[0]?.message;
}

describe('the response to a composite that renders', () => {
  test('has its objects, status and conditions', () => {
    expect(RunFunctionResponse.toJSON(run(requestFor(composite), greetings))).toEqual({
      meta: { tag: 'test', ttl: { seconds: 10 } },
      desired: {
        composite: { resource: { status: { length: 2 } } },
        resources: {
          words: {
            resource: {
              apiVersion: 'v1',
              kind: 'ConfigMap',
              metadata: {
                name: 'hello',
                namespace: 'default',
                annotations: { 'cdk8s-function-xp/desired': expect.stringMatching(/^[0-9a-f]{16}$/) },
              },
              data: { text: 'hi' },
            },
            ready: 'READY_FALSE',
          },
        },
      },
      conditions: [
        { type: 'Greeted', status: 'STATUS_CONDITION_TRUE', reason: 'Sent', target: 'TARGET_COMPOSITE' },
        {
          type: 'Answered',
          status: 'STATUS_CONDITION_UNKNOWN',
          reason: 'NoAnswer',
          message: 'no greeting received',
          target: 'TARGET_COMPOSITE',
        },
      ],
    });
  });

  test('has resources by construct path, without the chart and without the children that cdk8s-plus adds', () => {
    const composition = composing((chart) => {
      const part = new Construct(chart, 'part');
      configMap(part, 'plain');
      configMap(chart, 'Resource');
      new ConfigMap(part, 'rich', { metadata: { name: 'rich' } });
    });
    const { resources } = run(requestFor(composite), composition).desired!;
    expect(Object.keys(resources)).toEqual(['Resource', 'part/plain', 'part/rich']);
  });

  test('omits null and undefined members, and keeps empty and false ones', () => {
    const composition = composing(
      (chart) => {
        const object = configMap(chart, 'a', { immutable: false, data: {}, list: [], gone: undefined });
        object.addJsonPatch(JsonPatch.add('/patched', null));
      },
      { status: { zones: [], address: undefined, none: null } },
    );
    const { composite: desired, resources } = run(requestFor(composite), composition).desired!;
    expect(resources.a!.resource).toMatchObject({ immutable: false, data: {}, list: [] });
    expect(resources.a!.resource).not.toHaveProperty('patched');
    expect(resources.a!.resource).not.toHaveProperty('gone');
    expect(desired!.resource).toEqual({ status: { zones: [] } });
  });

  test('keeps the desired state and the context of earlier functions', () => {
    const request = requestFor(composite);
    const earlier = { resource: { kind: 'Earlier' }, connectionDetails: {}, ready: Ready.READY_TRUE };
    const details = { password: Buffer.from('secret') };
    request.desired = {
      composite: { resource: { status: { theirs: 1 } }, connectionDetails: details, ready: Ready.READY_UNSPECIFIED },
      resources: { earlier },
    };
    request.context = { key: 'value' };
    const response = run(request, greetings);
    expect(response.context).toEqual({ key: 'value' });
    expect(Object.keys(response.desired!.resources)).toEqual(['earlier', 'words']);
    expect(response.desired!.resources.earlier).toEqual(earlier);
    expect(response.desired!.composite).toEqual({
      resource: { status: { length: 2, theirs: 1 } },
      connectionDetails: details,
      ready: Ready.READY_UNSPECIFIED,
    });
  });

  test('has the same bytes in whatever order members arrive', () => {
    const labelled = (labels: Record<string, string>) => ({ ...composite, spec: { text: 'hi', labels } });
    const object = (name: string): KubernetesObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
    const composition: Composition = {
      conditionTypes: [],
      render({ spec }, observed) {
        const chart = new Chart(new App(), 'chart');
        const order = [...Object.keys(spec.labels), ...Object.keys(observed)].join();
        for (const id of Object.keys(spec.labels)) configMap(chart, id, { data: { ...spec.labels, order } });
        return { chart, status: { ...spec.labels } };
      },
    };
    const bytes = [
      requestFor(labelled({ x: '1', a: '2' }), { q: object('q'), b: object('b') }),
      requestFor(labelled({ a: '2', x: '1' }), { b: object('b'), q: object('q') }),
    ].map((request) => RunFunctionResponse.encode(run(request, composition)).finish());
    expect(bytes[0]).toEqual(bytes[1]);
  });
});

describe('objects that a rendering requires', () => {
  const node = (name: string): KubernetesObject => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
  /** Greets the nodes. */
  const composition: Composition = {
    conditionTypes: [],
    render(_, __, { nodes, linux }) {
      const status = { names: nodes?.map(({ metadata }) => metadata.name), linux: linux?.length };
      const requires = {
        nodes: { apiVersion: 'v1', kind: 'Node' },
        linux: { apiVersion: 'v1', kind: 'Node', matchLabels: { os: 'linux' } },
      };
      return { chart: new Chart(new App(), 'chart'), status, requires };
    },
  };
  const statusIn = ({ desired }: RunFunctionResponse) => desired?.composite?.resource?.status;

  test('are selected by their labels, or all of a kind', () => {
    const response = run(requestFor(composite), composition);
    expect((RunFunctionResponse.toJSON(response) as { requirements: object }).requirements).toEqual({
      resources: {
        linux: { apiVersion: 'v1', kind: 'Node', matchLabels: { labels: { os: 'linux' } } },
        nodes: { apiVersion: 'v1', kind: 'Node', matchLabels: {} },
      },
    });
    expect(statusIn(response)).toEqual({});
  });

  test('are rendered when Crossplane has fetched them, and required in the same bytes again', () => {
    const first = run(requestFor(composite), composition);
    const second = run(requestFor(composite, {}, { nodes: [node('b'), node('a')], linux: [] }), composition);
    expect(statusIn(second)).toEqual({ names: ['b', 'a'], linux: 0 });
    const bytes = ({ requirements }: RunFunctionResponse) => Requirements.encode(requirements!).finish();
    expect(bytes(second)).toEqual(bytes(first));
  });

  test.each([undefined, {}])('are not a message if there are none (%s)', (requires) => {
    expect(
      run(
        requestFor(composite),
        composing(() => {}, { requires }),
      ).requirements,
    ).toBeUndefined();
  });
});

describe('readiness of the composite', () => {
  const words = (text = 'hi') => run(requestFor(greeting(text)), greetings).desired!.resources.words!;
  const respond = (observed: KubernetesObject, composition = greetings) =>
    run(requestFor(composite, { words: observed }), composition);

  test('is derived from resources that are observed as desired', () => {
    const response = respond(words().resource as KubernetesObject);
    expect(response.desired?.resources.words?.ready).toBe(Ready.READY_TRUE);
    // Crossplane derives it; TRUE would hide an unready resource of another function.
    expect(response.desired?.composite?.ready).toBe(Ready.READY_UNSPECIFIED);
    expect(response.meta?.ttl?.seconds).toBe(60);
  });

  test('is not derived from objects of the previous spec, as far as these could be unready', () => {
    const response = respond(words('the previous text').resource as KubernetesObject);
    expect(response.desired?.resources.words?.ready).toBe(Ready.READY_TRUE);
    expect(response.meta?.ttl?.seconds).toBe(10);
    const serviceOf = (port: number) =>
      composing(
        (chart) =>
          new ApiObject(chart, 'web', {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { name: 'web' },
            ...{ spec: { ports: [{ port }] } },
          }),
      );
    const web = run(requestFor(composite), serviceOf(80)).desired?.resources.web?.resource as KubernetesObject;
    const readiness = (port: number) => {
      const { desired, meta } = run(requestFor(composite, { web }), serviceOf(port));
      return [desired?.resources.web?.ready, meta?.ttl?.seconds];
    };
    expect([readiness(80), readiness(81)]).toEqual([
      [Ready.READY_TRUE, 60],
      [Ready.READY_FALSE, 10],
    ]);
  });

  test('does not wait for what a composition leaves unawaited, but for its existence', () => {
    const balancer = composing(
      (chart) =>
        new ApiObject(chart, 'balancer', {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name: 'balancer' },
          ...{ spec: { type: 'LoadBalancer' } },
        }),
      { unawaited: ['balancer'] },
    );
    const respondTo = (observed: Record<string, KubernetesObject>) => {
      const { desired, meta } = run(requestFor(composite, observed), balancer);
      return { ready: desired?.resources.balancer?.ready, ttl: meta?.ttl?.seconds, desired };
    };
    const first = respondTo({});
    expect(first).toMatchObject({ ready: Ready.READY_FALSE, ttl: 10 });
    const pending = first.desired?.resources.balancer?.resource as KubernetesObject;
    expect(respondTo({ balancer: pending })).toMatchObject({ ready: Ready.READY_TRUE, ttl: 60 });
  });

  test('can be denied by the composition', () => {
    const composition: Composition = {
      ...greetings,
      render: (...given) => ({ ...greetings.render(...given), ready: false }),
    };
    const response = respond(words().resource as KubernetesObject, composition);
    expect(response.desired?.resources.words?.ready).toBe(Ready.READY_TRUE);
    expect(response.desired?.composite?.ready).toBe(Ready.READY_FALSE);
    expect(response.meta?.ttl?.seconds).toBe(10);
  });
});

describe('conditions change when Crossplane writes nothing else of the composite', () => {
  const ready = { type: 'Ready', status: 'True', reason: 'Available' };
  const words = run(requestFor(composite), greetings).desired!.resources.words!.resource as KubernetesObject;
  const respond = (
    status: object,
    { managedFields, isReady = true }: { managedFields?: object[]; isReady?: boolean } = {},
  ) => {
    const observed = { ...composite, metadata: { ...composite.metadata, managedFields }, status } as KubernetesObject;
    const response = run(requestFor(observed, isReady ? { words } : {}), greetings);
    return {
      conditions: response.conditions.map(({ type }) => type),
      ready: response.desired?.composite?.ready,
      ttl: response.meta?.ttl?.seconds,
      status: response.desired?.composite?.resource?.status,
    };
  };
  const all = ['Greeted', 'Answered'];

  test('so they wait while the status is replaced, and Ready with them', () => {
    const status = { length: 2 };
    expect(respond({ length: 1 })).toEqual({ conditions: [], ready: Ready.READY_FALSE, ttl: 10, status });
    expect(respond(status)).toEqual({ conditions: all, ready: Ready.READY_UNSPECIFIED, ttl: 60, status });
  });

  test('and a composite that stays ready stays so', () => {
    const response = respond({ length: 1, conditions: [ready] });
    expect(response).toMatchObject({ conditions: [], ready: Ready.READY_UNSPECIFIED, ttl: 10 });
  });

  test('but one that is no longer ready says so at once', () => {
    const response = respond({ length: 1, conditions: [ready] }, { isReady: false });
    expect(response).toMatchObject({ conditions: all, ready: Ready.READY_UNSPECIFIED });
  });

  test.each([
    ['the first status', {}],
    ['a field of others', { length: 2, theirs: 1 }],
    ['a field that the schema may not let in', { theirs: { length: 1 } }],
  ])('and they do not wait for %s', (_, status) => {
    expect(respond(status).conditions).toEqual(all);
  });

  test.each([
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, all],
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] }, []],
    [{ a: [1, { b: 2 }] }, { a: [1, { c: 3 }] }, all],
    [{ a: [1] }, { a: [1, 2] }, []],
    [{ a: [1] }, { a: 1 }, []],
    [{ a: 1 }, { b: 1 }, all],
  ])('which is told by what both have: %j, then %j', (before, after, types) => {
    const observed: KubernetesObject = { ...composite, status: before };
    const changing: Composition = {
      ...greetings,
      render: (...given) => ({ ...greetings.render(...given), status: after }),
    };
    expect(run(requestFor(observed), changing).conditions.map(({ type }) => type)).toEqual(types);
  });

  test('nor while it applies conditions to own what it has updated', () => {
    const greeted = { type: 'Greeted', status: 'True', reason: 'Sent' };
    const fieldsOf = (...fields: string[]) => ({
      'f:status': {
        'f:conditions': { 'k:{"type":"Greeted"}': Object.fromEntries(fields.map((field) => [`f:${field}`, {}])) },
      },
    });
    const applied = (fieldsV1: object) => ({
      managedFields: [
        { manager: 'crossplane', operation: 'Update', subresource: 'status', fieldsV1: fieldsOf('type', 'status') },
        { manager: 'apiextensions.crossplane.io/composite', operation: 'Apply', fieldsV1: { 'f:spec': {} } },
        { manager: 'apiextensions.crossplane.io/composite', operation: 'Apply', subresource: 'status', fieldsV1 },
      ],
    });
    const status = { length: 2, conditions: [greeted] };
    expect(respond(status, applied({ 'f:status': { 'f:length': {} } })).conditions).toEqual([]);
    expect(respond(status, applied(fieldsOf('type', 'status'))).conditions).toEqual([]);
    expect(respond(status, applied(fieldsOf('type', 'status', 'reason'))).conditions).toEqual(all);
    expect(respond(status, { managedFields: [] }).conditions).toEqual(all);
    expect(respond({ length: 2 }, applied({ 'f:status': {} })).conditions).toEqual(all);
  });
});

describe('an error thrown by the composition', () => {
  const throwing = (thrown: unknown): Composition => ({
    conditionTypes: ['A', 'B'],
    render() {
      throw thrown;
    },
  });

  test('becomes one FATAL result and is in every condition, and the desired state is kept', () => {
    const request = requestFor(composite);
    request.desired = {
      composite: undefined,
      resources: { earlier: { resource: { kind: 'Earlier' }, connectionDetails: {}, ready: Ready.READY_TRUE } },
    };
    request.context = { key: 'value' };
    const message = 'spec.zones[0].name: want lower case';
    const condition = {
      status: Status.STATUS_CONDITION_UNKNOWN,
      reason: 'FatalError',
      message,
      target: Target.TARGET_COMPOSITE,
    };
    expect(run(request, throwing(new Error(message)))).toEqual({
      meta: { tag: 'test', ttl: { seconds: 10, nanos: 0 } },
      desired: request.desired,
      context: { key: 'value' },
      results: [{ severity: Severity.SEVERITY_FATAL, message, target: Target.TARGET_COMPOSITE }],
      requirements: undefined,
      conditions: [
        { type: 'A', ...condition },
        { type: 'B', ...condition },
      ],
    });
  });

  test.each([
    ['a string', 'a string'],
    [new TypeError(), 'TypeError'],
    [undefined, 'undefined'],
    [Object.create(null), '[Object: null prototype] {}'],
    [{ code: 1 }, '{ code: 1 }'],
  ])('has a message if it is %s', (thrown, message) => {
    expect(refusal(throwing(thrown))).toBe(message);
  });
});

describe('the whole response is refused for', () => {
  test('a request without a composite', () => {
    const request = requestFor(composite);
    request.observed = undefined;
    expect(run(request, greetings).results[0]?.message).toBe('cannot read the request: it has no observed composite');
  });

  test.each<[string, unknown, string]>([
    ['NaN', Number.NaN, 'cannot write a.data.x as JSON: it is NaN'],
    ['Infinity', Number.POSITIVE_INFINITY, 'cannot write a.data.x as JSON: it is Infinity'],
    ['a bigint', 1n, 'cannot write a.data.x as JSON: it is a bigint'],
    ['a function', () => 1, 'cannot write a.data.x as JSON: it is a function'],
    ['null in a list', ['y', null], 'cannot write a.data.x[1] as JSON: it is undefined'],
  ])('an object with %s', (_, x, message) => {
    expect(refusal(composing((chart) => configMap(chart, 'a', { data: { x } })))).toBe(message);
  });

  test('an object with a Date, which cdk8s refuses', () => {
    expect(refusal(composing((chart) => configMap(chart, 'a', { data: { x: new Date(0) } })))).toContain("'Date'");
  });

  test.each<[string, unknown, string]>([
    ['a Date', new Date(0), 'cannot write status.x as JSON: it is a Date'],
    ['a Set', new Set(), 'cannot write status.x as JSON: it is a Set'],
    ['a bigint', 1n, 'cannot write status.x as JSON: it is a bigint'],
  ])('a status with %s', (_, x, message) => {
    expect(refusal(composing(() => {}, { status: { x } }))).toBe(message);
  });

  test('a chart that does not validate, with all errors', () => {
    const composition = composing((chart) => {
      for (const id of ['b', 'a']) configMap(chart, id).node.addValidation({ validate: () => [`${id} is wrong`] });
    });
    expect(refusal(composition)).toBe('cannot compose the chart: chart/a: a is wrong; chart/b: b is wrong');
  });

  test('one object twice', () => {
    const twice = composing((chart) => {
      configMap(chart, 'a', {}, 'same');
      configMap(chart, 'b', {}, 'same');
    });
    expect(refusal(twice)).toBe('cannot compose b: a is ConfigMap same already');
    const apart = composing((chart) => {
      configMap(chart, 'a', { metadata: { name: 'same', namespace: 'one' } });
      configMap(chart, 'b', { metadata: { name: 'same', namespace: 'two' } });
    });
    expect(refusal(apart)).toBeUndefined();
  });

  test('two objects with the same path', () => {
    const composition = composing((chart) => configMap(configMap(chart, 'a'), 'Resource', {}, 'other'));
    expect(refusal(composition)).toBe('cannot compose a: two objects have this path');
  });
});

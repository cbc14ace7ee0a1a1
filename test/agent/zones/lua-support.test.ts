import { expect, test } from 'vitest';
import { LuaSupport } from '../../../functions/agent/zones/lua-support.ts';

test('PowerDNS is asked until it runs LUA records, and again for another declaration', async () => {
  let [isOn, asked] = [false, 0];
  const lua = new LuaSupport(async () => {
    asked++;
    return isOn;
  });
  const answers = async () => [await lua.ask(), await lua.ask(), lua.isOn, asked];
  expect(lua.isOn).toBe(false);
  expect(await answers()).toEqual([false, false, false, 2]);
  isOn = true;
  expect(await answers()).toEqual([true, true, true, 3]);
  isOn = false;
  expect(await answers()).toEqual([true, true, true, 3]);
  lua.renew();
  // What it said before counts until it has answered.
  expect(lua.isOn).toBe(true);
  expect(await answers()).toEqual([false, false, false, 5]);
});

test('PowerDNS is asked again for a declaration that came while it answered', async () => {
  const answers = [true, false];
  const lua: LuaSupport = new LuaSupport(async () => {
    if (answers.length === 2) lua.renew();
    return answers.shift() as boolean;
  });
  expect([await lua.ask(), await lua.ask()]).toEqual([true, false]);
});

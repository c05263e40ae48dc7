import { describe, expect, it } from '@jest/globals';
import { decodeEvent } from '../../lab/docker-events';
import { LAB_NAME } from '../../lab/paths';

function anEvent(change: Record<string, unknown> = {}, labels: Record<string, string> = {}): string {
  const Attributes = { instance_id: 'i-0abc', 'ministack.instance': `${LAB_NAME}:4566`, ...labels };
  return JSON.stringify({ Action: 'die', id: 'c1', Actor: { Attributes }, ...change });
}

describe("Docker's events", () => {
  it('are births and deaths of this lab’s instances', () => {
    expect(decodeEvent(anEvent())).toEqual({ action: 'die', containerId: 'c1', instanceId: 'i-0abc' });
    expect(decodeEvent(anEvent({ Action: 'start' }))?.action).toBe('start');
  });

  it('of anything else are passed over', () => {
    expect(decodeEvent(anEvent({ Action: 'exec_start: sh' }))).toBeNull();
    expect(decodeEvent(anEvent({}, { 'ministack.instance': 'another-lab:4566' }))).toBeNull();
    expect(decodeEvent(anEvent({ Actor: {} }))).toBeNull();
  });
});

import { describe, expect, it } from '@jest/globals';
import { recipeHaproxy, recipeKeepalived } from '../../lab/recipe-pair/recipe-files';
import { addressFromEnd } from '../../lab/recipe-pair/recipe-pair';

const brokers = [
  { slot: 'ctx1', ip: '10.0.0.5' },
  { slot: 'ctx2', ip: '10.0.0.6' },
];

describe("the slides' recipe", () => {
  it('balances connections to the brokers in turn, and checks them as HAProxy does unless told', () => {
    const text = recipeHaproxy('10.0.0.99', brokers);
    for (const line of ['bind 10.0.0.99:1026', 'mode tcp', 'option tcplog', 'balance roundrobin', 'server ctx2 10.0.0.6:1026 check'])
      expect(text.split('\n').map((words) => words.trim())).toContain(line);
    expect(text).not.toMatch(/inter|fall|rise|retries|redispatch|timeout/);
  });

  it("has the slides' values for keepalived, the first with the higher priority", () => {
    const [first, second] = [true, false].map((isFirst) => recipeKeepalived('10.0.0.99', isFirst).replace(/\s+/g, ' '));
    expect(first).toContain('script "killall -0 haproxy" interval 2 weight 2 }');
    for (const text of [first, second])
      for (const words of ['virtual_router_id 51', 'advert_int 1 ', '10.0.0.99']) expect(text).toContain(words);
    expect(first).toMatch(/state MASTER .*priority 101/);
    expect(second).toMatch(/state BACKUP .*priority 100/);
  });

  it("stands at the end of the lab's network, where Docker hands no addresses out", () => {
    expect(addressFromEnd('172.18.0.0/16', 10)).toBe('172.18.255.245');
    expect(addressFromEnd('192.168.7.0/24', 11)).toBe('192.168.7.244');
    expect(() => addressFromEnd('192.168.7.0/28', 10)).toThrow(/at least 256 addresses; got "192.168.7.0\/28"/);
    expect(() => addressFromEnd('fd00::/64', 10)).toThrow(/IPv4 subnet/);
  });
});

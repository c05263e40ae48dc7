import { describe, expect, it } from '@jest/globals';
import { enablersOf } from '../../../lambdas/core/catalogue/enablers-spec';
import { unknownVersions, versionConflicts } from '../../../lambdas/core/catalogue/version-problems';
import { MONGO_SERIES, type MongoSeries } from '../../../lambdas/core/catalogue/versions';
import { parseAnySpec, parseSpec, type SpecInput } from '../../../lambdas/core/spec';

function problemsOf(enablers: unknown, rest: Partial<SpecInput> = {}): string[] {
  const parsed = parseAnySpec({ name: 'city', enablers, ...rest });
  return parsed.ok ? [] : parsed.problems;
}

function parsed(input: Partial<SpecInput> = {}) {
  const result = parseAnySpec({ name: 'city', ...input });
  if (!result.ok) throw new Error(result.problems.join('; '));
  return result.value;
}

describe('enablers of a spec', () => {
  it('are none unless named, and the usual ones where only named', () => {
    expect(parsed().enablers).toEqual({});
    const { enablers } = parsed({ enablers: { 'sth-comet': {}, cygnus: {} } });
    expect(enablersOf(enablers).map(({ entry, spec }) => [entry.name, spec.count, spec.ports, spec.options])).toEqual([
      ['sth-comet', 2, { north: 8666 }, {}],
      ['cygnus', 2, { north: 5051 }, { channel: 'memory' }],
    ]);
  });

  it.each<[string, unknown, Partial<SpecInput>, string]>([
    [
      'an unknown role',
      { comet: {} },
      {},
      'enablers: expected roles of the catalogue (orion-ld, sth-comet, iotagent-json, iotagent-ul, cygnus); "comet" is none',
    ],
    [
      'one Cygnus agent',
      { cygnus: { count: 1 } },
      {},
      'enablers.cygnus.count: expected 2 to 4: one is active, the others wait: with one alone nobody takes over; got 1',
    ],
    [
      'STH without a replica set',
      { 'sth-comet': {} },
      { mongo: { count: 1 } },
      'enablers.sth-comet: expected a replica set for it: mongo.count is 1',
    ],
    [
      'two agents at one port',
      { 'iotagent-json': {}, 'iotagent-ul': {} },
      {},
      'enablers.iotagent-ul.ports.south: expected a port of its own: iotagent-json (south) is offered at 7896 already; set enablers.iotagent-ul.ports.south to a free one',
    ],
    [
      "the brokers' port",
      { 'sth-comet': { ports: { north: 1026 } } },
      {},
      'enablers.sth-comet.ports.north: expected a port of its own: orion (north) is offered at 1026 already',
    ],
    ["the balancers' port", { 'sth-comet': { ports: { north: 8404 } } }, {}, 'the balancers themselves (admin) is offered at 8404 already'],
    [
      'a version nobody knows',
      { 'sth-comet': { version: '1.0.0' } },
      {},
      'enablers.sth-comet.version: expected a version whose settings are known: 2.9.0 to below 3.0.0; got "1.0.0"',
    ],
    [
      'a version that is none',
      { cygnus: { version: 'latest' } },
      {},
      'enablers.cygnus.version: expected a version whose settings are known',
    ],
    ["another role's option", { cygnus: { options: { mqtt: { host: 'mqtt' } } } }, {}, 'enablers.cygnus.options: Unrecognized key: "mqtt"'],
    [
      'a shell in a host name',
      { 'iotagent-json': { options: { mqtt: { host: '$(id)' } } } },
      {},
      'enablers.iotagent-json.options.mqtt.host: expected a host name or an address',
    ],
    [
      'a south port of a role without one',
      { 'sth-comet': { ports: { south: 7896 } } },
      {},
      'enablers.sth-comet.ports: Unrecognized key: "south"',
    ],
  ])('refuse %s with field, conflict and fix', (_what, enablers, rest, words) => {
    expect(problemsOf(enablers, rest).join('\n')).toContain(words);
  });

  it('may have two agents once one is offered elsewhere', () => {
    expect(problemsOf({ 'iotagent-json': {}, 'iotagent-ul': { ports: { south: 7897 } } })).toEqual([]);
  });

  it('are run by the control plane, with versions that go with its MongoDB', () => {
    expect(parseSpec({ name: 'city', enablers: { cygnus: {}, 'sth-comet': {}, 'iotagent-json': {} } }).ok).toBe(true);
    const result = parseSpec({ name: 'city', enablers: { 'orion-ld': { ports: { north: 1027 } } } });
    expect(result.ok ? '' : result.problems.join()).toMatch(
      /^enablers\.orion-ld\.version: version 1\.7\.0 does not work with MongoDB 7\.0: .*; nodes run MongoDB 7\.0, a recipe may have another/,
    );
  });
});

describe('versions', () => {
  const refusedBy = (input: Partial<SpecInput>): MongoSeries[] =>
    MONGO_SERIES.filter((series) => versionConflicts(parsed(input), series).length > 0);

  it.each<[string, Partial<SpecInput>, MongoSeries[]]>([
    ['Orion 4.1 goes with all', {}, []],
    ['Orion 2.6 speaks what MongoDB 5.1 took away', { orion: { version: '2.6.0' } }, ['6.0', '7.0', '8.0']],
    ['STH-Comet 2.10 asks what MongoDB 5.0 refuses', { enablers: { 'sth-comet': { version: '2.10.0' } } }, ['5.0', '6.0', '7.0', '8.0']],
    ['STH-Comet 2.11 goes with all', { enablers: { 'sth-comet': { version: '2.11.0' } } }, []],
    ['Orion-LD opens the old driver', { enablers: { 'orion-ld': { ports: { north: 1027 } } } }, ['6.0', '7.0', '8.0']],
  ])('%s', (_what, input, refused) => {
    expect(refusedBy(input)).toEqual(refused);
  });

  it('of Orion without known settings are refused', () => {
    expect(unknownVersions(parsed({ orion: { version: '5.1.0' } }))).toEqual([
      'orion.version: expected a version whose settings are known: 2.5.0 to below 4.0.0, 4.0.0 to below 5.0.0; got "5.1.0"; take one of those',
    ]);
    expect(parseSpec({ name: 'city', orion: { version: '5.1.0' } }).ok).toBe(false);
  });

  it('are refused with field, conflict, source and fix', () => {
    expect(versionConflicts(parsed({ orion: { version: '2.6.0' } }), '7.0')).toEqual([
      'orion.version: version 2.6.0 does not work with MongoDB 7.0: it speaks by the legacy C++ driver 1.1.2, whose operations MongoDB no longer has (fiware-orion, Changelog, 3.0.0); take Orion 3.0.0 or later, or MongoDB 4.4 or 5.0',
    ]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { SpecInput } from '../../lambdas/core/spec';
import { DeclaredCluster } from '../../lib/declared-cluster';
import { aCommandLine } from '../bin/command-line';

const declare = (spec: SpecInput) => {
  const stack = new Stack(new App(), 'Platform');
  new DeclaredCluster(stack, 'City', spec);
  return Template.fromStack(stack);
};

describe('a declared cluster', () => {
  it('is a parameter with the spec as it was given', () => {
    const spec = { name: 'city', orion: { count: 3 }, enablers: { 'sth-comet': {} } };
    declare(spec).hasResourceProperties('AWS::SSM::Parameter', {
      Name: '/fiware-ha/clusters/city/spec',
      Type: 'String',
      Value: JSON.stringify(spec, null, 2),
    });
  });

  it.each<[string, Partial<Record<string, unknown>>, string]>([
    ['an unknown role', { enablers: { comet: {} } }, 'enablers: expected roles of the catalogue'],
    [
      'a role whose needs are missing',
      { mongo: { count: 1 }, enablers: { 'sth-comet': {} } },
      'enablers.sth-comet: expected a replica set for it',
    ],
    [
      'two roles on one port',
      { enablers: { 'iotagent-json': {}, 'iotagent-ul': {} } },
      'enablers.iotagent-ul.ports.south: expected a port of its own',
    ],
    ['a Cygnus with one agent', { enablers: { cygnus: { count: 1 } } }, 'enablers.cygnus.count: expected 2 to 4'],
    ['a version without known settings', { orion: { version: '9.1.0' } }, 'orion.version: expected a version whose settings are known'],
    ['versions that do not go together', { orion: { version: '2.6.0' } }, 'orion.version: version 2.6.0 does not work with MongoDB 7.0'],
  ])('with %s is refused at synth, in the words of the command line', async (_what, part, words) => {
    const spec = { name: 'city', ...part } as SpecInput;
    let said = '';
    try {
      declare(spec);
    } catch (error) {
      said = (error as Error).message;
    }
    expect(said).toContain(`cluster "city": ${words}`);
    const cli = aCommandLine({ files: { 'city.json': JSON.stringify(spec) } });
    expect((await cli.run('create', 'city', '--spec', 'city.json')).exitCode).toBe(2);
    for (const line of said.split('\n'))
      expect((await cli.run('create', 'city', '--spec', 'city.json')).err.join('\n')).toContain(line.slice('cluster "city": '.length));
  });
});

import { describe, expect, it, jest } from '@jest/globals';
import type { Script, Subject } from '../../../sim/enumeration/control';
import { checkLiveness } from '../../../sim/enumeration/liveness';
import { REAL } from '../../../sim/enumeration/run';
import { walk } from '../../../sim/enumeration/walk';
import { walkNamed } from '../../../sim/enumeration/walks';

// A walk that finds nothing for long is walked to its end.
jest.setTimeout(120_000);

/** What the walk of a broken subject finds first, by the walk that is to find it. */
function firstViolation(subject: Partial<Subject>, name = 'members'): string | undefined {
  const { starts, failures, limits } = walkNamed(name);
  const [openMax, oldMax] = limits[3] ?? [1, 1];
  const bounds = { ...failures, openMax, oldMax };
  return walk({ size: 3, bounds, subject: { ...REAL, ...subject }, starts: starts(3) }).violations[0]?.text;
}

describe('a broken control plane is caught by the enumeration of replica-set states', () => {
  it('that terminates a living voter', () => {
    const plan: Subject['plan'] = (s) => {
      const voter = s.mongo.members.find((m) => m.votes && m.serving && m.node)?.node?.fact;
      if (!voter) return REAL.plan(s);
      const { instanceId, slot } = voter;
      const job = { cluster: 'city', jobKey: 'city@0/terminate/x#0', reason: 'broken', role: 'mongo', slot, instanceId } as const;
      return [{ kind: 'terminateNode', ...job, expect: { holdsAddress: false } }];
    };
    expect(firstViolation({ plan })).toMatch(/voter is terminated|member of the replica set/);
  });

  it('that does not ask whether a majority is left', () => {
    const plan: Subject['plan'] = (s) => {
      const members = s.mongo.members.map((m) => ({ ...m, living: true, serving: m.serving || m.votes }));
      return REAL.plan({ ...s, mongo: { ...s.mongo, members, majority: s.mongo.voters > 0 } });
    };
    expect(firstViolation({ plan })).toMatch(/voters would live|would leave|while the majority is lost/);
  });

  it('that changes two voters at once', () => {
    const script: Script = (db, action, payload) => {
      const both = {
        adminCommand(command: Record<string, unknown>) {
          const config = command.replSetReconfig as { members: Record<string, unknown>[] } | undefined;
          return db.adminCommand(config ? { ...command, replSetReconfig: { ...config, members: config.members.slice(0, -2) } } : command);
        },
      };
      return REAL.script(both, action, payload);
    };
    expect(firstViolation({ script }, 'shrinking')).toMatch(/voters change at once/);
  });

  it('that forces a configuration', () => {
    const script: Script = (db, action, payload) =>
      REAL.script(
        { adminCommand: (command) => db.adminCommand('replSetReconfig' in command ? { ...command, force: true } : command) },
        action,
        payload,
      );
    expect(firstViolation({ script })).toBe('a command is forced');
  });

  it('that does not compare the configuration a command was planned for', () => {
    const script: Script = (db, action, payload) => {
      const { config } = db.adminCommand({ replSetGetConfig: 1 }) as {
        config?: { version: number; members: { host: string; votes: number }[] };
      };
      if (!config) return REAL.script(db, action, payload);
      const hosts = (votes: number) => config.members.filter((m) => m.votes === votes).map((m) => m.host);
      const expect = { setVersion: config.version, voters: hosts(1), nonVoters: hosts(0) };
      return REAL.script(db, action, { ...(payload as object), expect });
    };
    expect(firstViolation({ script }, 'late commands')).toMatch(/acts on another configuration|acts twice/);
  });

  it('that gives a vote before the member has caught up', () => {
    const plan: Subject['plan'] = (s) => {
      const silent = s.mongo.members.find((m) => !m.votes && m.living);
      if (!silent || !s.mongo.primary || s.inFlight.length > 0) return REAL.plan(s);
      const members = s.mongo.members.map((m) => (m === silent ? { ...m, serving: true } : m));
      const caughtUpSinceMs = { ...s.memory.caughtUpSinceMs, [silent.host]: 1 };
      return REAL.plan({ ...s, mongo: { ...s.mongo, members }, memory: { ...s.memory, caughtUpSinceMs } });
    };
    const script: Script = (db, action, payload) => {
      const blind = {
        adminCommand(command: Record<string, unknown>) {
          const reply = db.adminCommand(command) as { members?: { state: number }[] };
          return reply.members ? { ...reply, members: reply.members.map((m) => (m.state === 3 ? { ...m, state: 2 } : m)) } : reply;
        },
      };
      return REAL.script(blind, action, payload);
    };
    expect(firstViolation({ plan, script })).toMatch(/before it has caught up|breaks an invariant/);
  });

  it('that starts a new node under the address of a voter', () => {
    const plan: Subject['plan'] = (s) => {
      const bare = s.observation.nodes.find((node) => node.fact.role === 'mongo' && node.configVersion === undefined);
      if (!bare) return REAL.plan(s);
      const { instanceId, slot } = bare.fact;
      const base = { cluster: 'city', jobKey: 'city@0/config/x#0', reason: 'broken', role: 'mongo', slot, instanceId } as const;
      return [{ kind: 'applyConfig', ...base, ...s.configs.mongo }];
    };
    expect(firstViolation({ plan }, 'addresses again')).toMatch(/an empty node is started under/);
  });

  it('that never removes a dead voter, and so never reaches the spec', () => {
    const plan: Subject['plan'] = (s) => REAL.plan(s).filter((job) => job.kind !== 'reconfigReplicaSet' || job.change.change !== 'remove');
    const { starts, failures } = walkNamed('members');
    const { control, keys } = walk({
      size: 3,
      bounds: { ...failures, openMax: 1, oldMax: 1 },
      subject: { ...REAL, plan },
      starts: starts(3),
    });
    expect(checkLiveness(control, keys).stuck?.text).toMatch(/stops short of its spec/);
  });
});

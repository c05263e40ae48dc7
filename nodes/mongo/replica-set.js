/**
 * One guarded step on a MongoDB replica set: `run(db, action, payload)` compares, acts, reads again and answers with one value.
 * Run by mongosh on the primary; the simulation loads the same file. Never forces a reconfig, never wipes data, never retries blindly.
 * Plain JavaScript without imports, because mongosh runs it as a script.
 *
 * Answers {ok:true, did, setVersion, nextMemberId} or {ok:false, outcome, code, codeName, error}; outcome is
 * stale (the world is not as expected: plan anew), retry (later), refused (a rule forbids it) or failed.
 */

/** What an error code means here. Source: MongoDB's error_codes.yml and repl_set_config_checks.cpp. */
const OUTCOME_OF_CODE = {
  23: 'stale', // AlreadyInitialized: success only if the configuration matches, which is checked before
  50: 'retry', // MaxTimeMSExpired: it may be installed; the next look tells
  74: 'retry', // NodeNotFound: self missing, or no majority answered
  93: 'failed', // InvalidReplicaSetConfig: our own bug
  94: 'stale', // NotYetInitialized
  103: 'stale', // NewReplicaSetConfigurationIncompatible: a stale version, or a rule broken: plan anew
  104: 'refused', // NodeNotElectable: step down first
  109: 'retry', // ConfigurationInProgress
  110: 'refused', // CannotInitializeNodeWithData: a person must look, nothing is wiped
  117: 'retry', // ConflictingOperationInProgress
  189: 'stale', // PrimarySteppedDown: find the primary again
  262: 'retry', // ExceededTimeLimit: no secondary had caught up when it was to step down
  308: 'retry', // CurrentConfigNotCommittedYet
  10107: 'stale', // NotWritablePrimary
};

const MAX_TIME_MS = 20000;
const STEP_DOWN_S = 60;
const CATCH_UP_S = 10;
/** Older servers refuse higher `_id`s. */
const MEMBER_ID_MAX = 255;
const VOTERS_MAX = 7;
const SECONDARY = 2;
const PRIMARY = 1;

function failure(error) {
  const code = error.code;
  return {
    ok: false,
    outcome: OUTCOME_OF_CODE[code] || 'failed',
    code: code === undefined ? null : code,
    codeName: error.codeName || null,
    error: `${code === undefined ? '' : `${error.codeName} (${code}): `}${error.errmsg || error.message || String(error)}`,
  };
}

function refuse(outcome, words) {
  return { ok: false, outcome, code: null, codeName: null, error: words };
}

/** Runs a command; its failure comes back as a value, whether the shell throws it or not. */
function ask(db, command) {
  try {
    const reply = db.adminCommand(command);
    return reply.ok === 1 ? { ok: true, reply } : { ok: false, error: reply };
  } catch (error) {
    return { ok: false, error };
  }
}

function hostsOf(config, votes) {
  return config.members.filter((member) => (member.votes === 0 ? 0 : 1) === votes).map((member) => member.host);
}

function sameHosts(a, b) {
  return a.length === b.length && [...a].sort().join() === [...b].sort().join();
}

function majorityOf(count) {
  return Math.floor(count / 2) + 1;
}

/** What is told of a configuration that holds now; `nextMemberId`: above every `_id` in it. */
function told(did, config) {
  return { ok: true, did, setVersion: config.version, nextMemberId: Math.max(...config.members.map((member) => member._id)) + 1 };
}

function initiate(db, payload) {
  const wanted = payload.members;
  const before = ask(db, { replSetGetConfig: 1 });
  const matches = (reply) => reply.config._id === payload.replicaSet && sameHosts(hostsOf(reply.config, 1), wanted);
  if (before.ok) {
    if (matches(before.reply)) return told('already', before.reply.config);
    return refuse(
      'refused',
      `a configuration is there already: ${before.reply.config._id} with ${hostsOf(before.reply.config, 1).join(', ')}`,
    );
  }
  if (before.error.code !== 94) return failure(before.error);
  const members = wanted.map((host, i) => ({ _id: i, host }));
  const made = ask(db, { replSetInitiate: { _id: payload.replicaSet, members }, maxTimeMS: MAX_TIME_MS });
  const after = ask(db, { replSetGetConfig: 1 });
  if (after.ok && matches(after.reply)) return told('initiated', after.reply.config);
  return made.ok ? refuse('retry', 'initiated, but its configuration could not be read back') : failure(made.error);
}

/** The `_id` the plan chose; where that is taken or too high for a server, one above the highest, at last the lowest free one. */
function idFor(members, chosen) {
  const taken = new Set(members.map((member) => member._id));
  const fits = (id) => Number.isInteger(id) && id <= MEMBER_ID_MAX && !taken.has(id);
  if (fits(chosen)) return chosen;
  const above = Math.max(...taken) + 1;
  if (fits(above)) return above;
  let free = 0;
  while (taken.has(free)) free++;
  return free;
}

/** The members after a change; null when the change is there already, undefined when the host it is about is no member. */
function changed(config, change) {
  const at = config.members.findIndex((member) => member.host === change.host);
  if (change.change === 'add')
    return at >= 0 ? null : [...config.members, { _id: idFor(config.members, change.memberId), host: change.host, votes: 0, priority: 0 }];
  if (change.change === 'remove') return at < 0 ? null : config.members.filter((_, i) => i !== at);
  if (at < 0) return undefined;
  if (config.members[at].votes !== 0) return null;
  return config.members.map((member, i) => (i === at ? { ...member, votes: 1, priority: 1 } : member));
}

/** Why a change must not be made now, by what this member sees of the others; undefined when it may. */
function barrier(status, config, members, change) {
  const self = status.members.find((member) => member.self);
  if (!self || self.state !== PRIMARY)
    return refuse('stale', `this member is ${self ? self.stateStr : 'unknown to the set'}, not the primary`);
  if (change.change === 'remove' && self.name === change.host)
    return refuse('refused', 'the primary can not remove itself: step it down first');
  const stateOf = (host) => status.members.find((member) => member.name === host);
  const lives = (host) => {
    const member = stateOf(host);
    return member !== undefined && member.health === 1 && (member.state === PRIMARY || member.state === SECONDARY);
  };
  const after = hostsOf({ members }, 1);
  if (after.length > VOTERS_MAX) return refuse('refused', `${after.length} members would vote, MongoDB takes ${VOTERS_MAX} at most`);
  for (const voters of [hostsOf(config, 1), after]) {
    const living = voters.filter(lives).length;
    if (living < majorityOf(voters.length))
      return refuse(
        'refused',
        `${living} of ${voters.length} voters live, ${majorityOf(voters.length)} needed: the majority would be at risk`,
      );
  }
  if (change.change === 'raise-vote' && !lives(change.host)) return refuse('stale', `${change.host} is not SECONDARY: it may not vote yet`);
  return undefined;
}

/** Stale when the configuration is not the very one the plan saw: its version and its members. */
function changeSince(config, expect) {
  const [voters, others] = [hostsOf(config, 1), hostsOf(config, 0)];
  if (config.version === expect.setVersion && sameHosts(voters, expect.voters) && sameHosts(others, expect.nonVoters)) return undefined;
  const seen = `version ${config.version}, voters ${voters.join(' ')}, others ${others.join(' ') || 'none'}`;
  return refuse('stale', `the configuration is not the one the plan saw (version ${expect.setVersion}): ${seen}`);
}

function reconfig(db, payload) {
  const { change, expect, replicaSet } = payload;
  const before = ask(db, { replSetGetConfig: 1 });
  if (!before.ok) return failure(before.error);
  const config = before.reply.config;
  if (config._id !== replicaSet) return refuse('refused', `the set is called ${config._id}, expected ${replicaSet}`);
  const members = changed(config, change);
  if (members === null) return told('already', config);
  if (members === undefined) return refuse('stale', `${change.host} is no member`);
  const moved = changeSince(config, expect);
  if (moved) return moved;
  const status = ask(db, { replSetGetStatus: 1 });
  if (!status.ok) return failure(status.error);
  const stop = barrier(status.reply, config, members, change);
  if (stop) return stop;
  const next = { ...config, version: config.version + 1, members };
  const acted = ask(db, { replSetReconfig: next, maxTimeMS: MAX_TIME_MS });
  // A failed reconfig may be installed all the same: what is read back decides, not the answer. Installed here alone is not enough:
  // another primary could still undo it.
  const after = ask(db, { replSetGetConfig: 1, ...(acted.ok ? {} : { commitmentStatus: true }) });
  if (after.ok && changed(after.reply.config, change) === null && (acted.ok || after.reply.commitmentStatus === true))
    return told(change.change, after.reply.config);
  return acted.ok ? refuse('retry', 'the change was accepted, but could not be read back') : failure(acted.error);
}

/** A primary that waits to step down takes no writes already, and may lead on all the same: its state tells. */
function leadsNoMore(db, hello) {
  if (!hello.ok || hello.reply.isWritablePrimary) return false;
  const status = ask(db, { replSetGetStatus: 1 });
  return status.ok && status.reply.myState !== PRIMARY;
}

function stepDown(db, payload) {
  const hello = ask(db, { hello: 1 });
  if (!hello.ok) return failure(hello.error);
  if (leadsNoMore(db, hello)) return { ok: true, did: 'already', setVersion: hello.reply.setVersion };
  if (hello.reply.setName !== payload.replicaSet)
    return refuse('refused', `the set is called ${hello.reply.setName}, expected ${payload.replicaSet}`);
  const before = ask(db, { replSetGetConfig: 1 });
  if (!before.ok) return failure(before.error);
  const moved = changeSince(before.reply.config, payload.expect);
  if (moved) return moved;
  const acted = ask(db, { replSetStepDown: STEP_DOWN_S, secondaryCatchUpPeriodSecs: CATCH_UP_S });
  const after = ask(db, { hello: 1 });
  if (leadsNoMore(db, after)) return { ok: true, did: 'stepped down', setVersion: after.reply.setVersion };
  return acted.ok ? refuse('retry', 'it is the primary still') : failure(acted.error);
}

/** Sets the default write concern, unless it is set already: a default of the server's own choice does not count as set. */
function setWriteConcern(db, { replicaSet, writeConcern }) {
  const there = ask(db, { replSetGetConfig: 1 });
  if (!there.ok) return failure(there.error);
  const { config } = there.reply;
  if (config._id !== replicaSet) return refuse('refused', `the set is called ${config._id}, expected ${replicaSet}`);
  const isSet = () => {
    const now = ask(db, { getDefaultRWConcern: 1 });
    return now.ok && now.reply.defaultWriteConcernSource === 'global' && now.reply.defaultWriteConcern.w === writeConcern;
  };
  if (isSet()) return told('already', config);
  const acted = ask(db, { setDefaultRWConcern: 1, defaultWriteConcern: { w: writeConcern, wtimeout: 0 }, maxTimeMS: MAX_TIME_MS });
  if (isSet()) return told('set', config);
  return acted.ok ? refuse('retry', 'the default write concern was accepted, but could not be read back') : failure(acted.error);
}

const ACTIONS = { initiate, reconfig, 'step-down': stepDown, 'set-write-concern': setWriteConcern };

/**
 * Runs one action; every end is a value, never an exception. After `payload.notAfterMs` nothing is done: whoever asked has given the
 * step up, and others may be under way. @param nowMs this node's clock
 */
function run(db, action, payload, nowMs = Date.now()) {
  try {
    const known = Object.keys(ACTIONS);
    if (!known.includes(action)) return refuse('failed', `action: expected ${known.join(', ')}; got ${action}`);
    const lateMs = nowMs - (payload.notAfterMs ?? nowMs);
    if (lateMs > 0) return refuse('stale', `${action} came ${Math.ceil(lateMs / 1000)} s too late: its plan has given it up`);
    return ACTIONS[action](db, payload);
  } catch (error) {
    return failure(error);
  }
}

if (typeof process !== 'undefined' && process.env.FIWARE_HA_PAYLOAD && typeof db !== 'undefined') {
  const payload = JSON.parse(Buffer.from(process.env.FIWARE_HA_PAYLOAD, 'base64').toString());
  const result = run(db, payload.action, payload);
  print(JSON.stringify(result));
} else if (typeof module !== 'undefined') {
  module.exports = { run, OUTCOME_OF_CODE };
}

/** The replica set of a recipe: mongod's settings, and the script that begins the set once. Text out; the guards are in nodes/mongo/replica-set.js. */
import type { MongoSeries } from '../lambdas/core/catalogue/versions';
import { PORT } from '../lambdas/core/names';
import { type ClusterSpec, defaultWriteConcernOf } from '../lambdas/core/spec';

/** The shell that steps on the set are run with; it comes with the images from 5.0 on, and speaks to 4.4 as well. */
export const SHELL_SERIES: MongoSeries = '7.0';

export function mongoImage(series: MongoSeries): string {
  return `mongo:${series}`;
}

/** Shell in the image of a series. */
function shellOf(series: MongoSeries): 'mongo' | 'mongosh' {
  return series === '4.4' ? 'mongo' : 'mongosh';
}

/**
 * True to what the member can do: before the set has begun it need only answer; a member of a set must be primary or secondary, so that
 * one that copies, rolls back or was removed is not called well.
 */
export function memberCheck(series: MongoSeries): string[] {
  const text = 'const h = db.isMaster(); quit(h.ok && (!h.setName || h.ismaster || h.secondary) ? 0 : 1)';
  return [shellOf(series), '--quiet', '--norc', '--eval', text];
}

export function renderMongodConf({ mongo }: ClusterSpec, dbPath: string): string {
  return `net:
  port: ${PORT.mongo}
  bindIp: 0.0.0.0
replication:
  replSetName: ${mongo.replicaSet}
storage:
  dbPath: ${dbPath}
`;
}

/**
 * Begins the set in the order of the control plane: every member answers, none belongs to a set, one is told to begin, and the primary
 * gets the default write concern. Running it again changes nothing.
 */
export function renderInitiate(spec: ClusterSpec, members: readonly string[]): string {
  const writeConcern = JSON.stringify(defaultWriteConcernOf(spec));
  return `#!/bin/bash
# Begins the replica set ${spec.mongo.replicaSet} once: waits until every member answers, stops where one belongs to a set already,
# never forces and never wipes. Needs mongosh. Running it again changes nothing.
set -euo pipefail

replica_set=${spec.mongo.replicaSet}
members=(${members.join(' ')})
write_concern='${writeConcern}'
# Tries of each wait, two seconds apart.
tries=\${TRIES:-90}
here=$(dirname "$(readlink -f "$0")")

say() { echo "$replica_set: $*"; }
stop() { say "$*" >&2; exit 1; }

uri() { echo "mongodb://$1/admin?directConnection=true&serverSelectionTimeoutMS=3000"; }

# ask MEMBER EXPRESSION: prints its value; fails where the member does not answer.
ask() { mongosh --quiet --norc "$(uri "$1")" --eval "print($2)" 2>/dev/null | tail -n 1; }

# step MEMBER PAYLOAD: one guarded step, by the script of the control plane; prints what it answers.
step() {
  FIWARE_HA_PAYLOAD=$(printf '%s' "$2" | base64 -w 0) mongosh --quiet --norc "$(uri "$1")" --file "$here/replica-set.js" | tail -n 1 || true
}

declare -A set_of
for member in "\${members[@]}"; do
  for ((i = 0; ; i++)); do
    if set_of[$member]=$(ask "$member" 'db.hello().setName ?? "none"') && [ -n "\${set_of[$member]}" ]; then break; fi
    [ "$i" -lt "$tries" ] || stop "$member does not answer: nothing was begun; is mongod running there, and is port ${PORT.mongo} open?"
    sleep 2
  done
done

belongs=no
for member in "\${members[@]}"; do
  case \${set_of[$member]} in
    none) ;;
    "$replica_set") belongs=yes ;;
    *) stop "$member belongs to the set \${set_of[$member]}: nothing was begun or wiped; a person must say whose data that is" ;;
  esac
done

if [ "$belongs" = no ]; then
  quoted=$(printf '"%s",' "\${members[@]}")
  answer=$(step "\${members[0]}" "{\\"action\\":\\"initiate\\",\\"replicaSet\\":\\"$replica_set\\",\\"members\\":[\${quoted%,}]}")
  [[ $answer == *'"ok":true'* ]] || stop "the set was not begun: $answer"
  say "begun with \${members[*]}"
else
  say 'a member knows the set already: it is not begun a second time'
fi

primary=
for ((i = 0; i <= tries; i++)); do
  for member in "\${members[@]}"; do
    if [ "$(ask "$member" 'db.hello().isWritablePrimary')" = true ]; then primary=$member; fi
  done
  [ -z "$primary" ] || break
  sleep 2
done
[ -n "$primary" ] || stop 'no member leads: look at rs.status() on each'

answer=$(step "$primary" "{\\"action\\":\\"set-write-concern\\",\\"replicaSet\\":\\"$replica_set\\",\\"writeConcern\\":$write_concern}")
[[ $answer == *'"ok":true'* ]] || stop "$primary did not take the default write concern: $answer"
say "$primary leads, default write concern $write_concern"
`;
}

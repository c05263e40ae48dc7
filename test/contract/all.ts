/** Every contract against one subject: the simulation in `npm test`, the AWS adapters in the lab. Holds no case of its own. */
import {
  describeAddressesContract,
  describeComputeContract,
  describeNodeCommandsContract,
  describeProbeContract,
  describeQueuesContract,
} from './cloud';
import {
  describeBudgetContract,
  describeClaimStoreContract,
  describeJournalContract,
  describeLeasesContract,
  describeRowStoreContract,
  describeSpecStoreContract,
} from './stores';
import type { SubjectSource } from './subject';

/** Clock and telemetry answer to nobody and have no contract. */
export function describeAllContracts(source: SubjectSource): void {
  describeRowStoreContract(source);
  describeClaimStoreContract(source);
  describeLeasesContract(source);
  describeSpecStoreContract(source);
  describeBudgetContract(source);
  describeJournalContract(source);
  describeQueuesContract(source);
  describeProbeContract(source);
  describeComputeContract(source);
  describeAddressesContract(source);
  describeNodeCommandsContract(source);
}

import { describeAllContracts } from '../../test/contract/all';
import { awsSubjectSource } from './aws-subject';

describeAllContracts(awsSubjectSource);

import { type ArgumentCondition, type DockerArgument, ProfGenError } from '@prof-gen/core';

const operators = [
  ['eq', 'SCMP_CMP_EQ'],
  ['ne', 'SCMP_CMP_NE'],
  ['lt', 'SCMP_CMP_LT'],
  ['le', 'SCMP_CMP_LE'],
  ['ge', 'SCMP_CMP_GE'],
  ['gt', 'SCMP_CMP_GT'],
  ['masked-eq', 'SCMP_CMP_MASKED_EQ'],
] as const;

const toDocker = new Map<ArgumentCondition['op'], DockerArgument['op']>(operators);
const fromDocker = new Map<DockerArgument['op'], ArgumentCondition['op']>(
  operators.map(([ours, docker]) => [docker, ours]),
);

/** Docker's `value` is the mask of a masked comparison, and `valueTwo` what it is compared with. */
export function conditionOf(argument: DockerArgument): ArgumentCondition {
  const op = fromDocker.get(argument.op) as ArgumentCondition['op'];
  if (op !== 'masked-eq') return { index: argument.index, op, value: String(argument.value) };
  return { index: argument.index, op, value: String(argument.valueTwo ?? 0), mask: String(argument.value) };
}

/** @throws ProfGenError `profile/argument-value`: JSON cannot hold the value exactly */
export function argumentOf(condition: ArgumentCondition): DockerArgument {
  const exact = (text: string) => {
    const value = Number(text);
    if (Number.isSafeInteger(value)) return value;
    throw new ProfGenError('profile/argument-value', `the argument value ${text} has no exact form in JSON`, {
      hint: 'values up to 9007199254740991 can be written',
    });
  };
  const op = toDocker.get(condition.op) as DockerArgument['op'];
  if (condition.op !== 'masked-eq') return { index: condition.index, value: exact(condition.value), op };
  const mask = condition.mask;
  if (mask === undefined) {
    throw new ProfGenError(
      'profile/argument-value',
      `a masked comparison of argument ${condition.index} has no mask`,
    );
  }
  return { index: condition.index, value: exact(mask), valueTwo: exact(condition.value), op };
}

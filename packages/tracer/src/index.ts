export type { ExerciseTimes } from './exercise/exercise.js';
export { type MeasureOptions, measureRuntimeBase } from './runtime-base/measure-runtime-base.js';
export { isStraceLine } from './strace/strace-line.js';
export { StraceLog } from './strace/strace-log.js';
export { straceRecording } from './strace/strace-recording.js';
export {
  type LoadedImage,
  type ObserveInput,
  openTracer,
  type ProveInput,
  type TraceLimits,
  type Tracer,
  type TracerOptions,
} from './tracer.js';

export type { ExerciseTimes } from './exercise/exercise.js';
export {
  type LoadedImage,
  type ObserveInput,
  openTracer,
  type ProveInput,
  type TraceLimits,
  type Tracer,
  type TracerOptions,
} from './tracer.js';

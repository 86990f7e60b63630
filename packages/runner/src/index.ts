export { type ExplainInput, explainImage } from './explain-image.js';
export { type LoadedDataset, loadDataset } from './load-dataset.js';
export { loadWorkload } from './load-workload.js';
export { type ProfiledImage, type ProfileImageInput, profileImage } from './profile-image.js';
export { renderRun } from './render-run.js';
export { type RunDatasetInput, type RunSummary, runDataset } from './run-dataset.js';
export { type Summarizer, type SummarizerOptions, openSummarizer } from './summarizer.js';
export { toolVersion } from './tool-version.js';
export { openWorkbench, type Workbench, type WorkbenchOptions } from './workbench.js';

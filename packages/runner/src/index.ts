export type { ClaimCommands } from '@prof-gen/comparator';
export { compareRun } from './compare-run.js';
export { type ExplainInput, explainImage } from './explain-image.js';
export { type LoadedDataset, loadDataset } from './load-dataset.js';
export { confineFile } from './compare-image.js';
export { loadDockerProfile } from './load-docker-profile.js';
export { loadRecipes } from './load-recipes.js';
export { loadRecordings } from './import/load-recordings.js';
export { loadRuntimeBase } from './load-runtime-base.js';
export { loadWorkload } from './load-workload.js';
export { type ProfiledImage, type ProfileImageInput, profileImage } from './profile-image.js';
export { type RenderedRun, renderRun } from './render-run.js';
export { type RunDatasetInput, type RunSummary, runDataset } from './run-dataset.js';
export { type Summarizer, type SummarizerOptions, openSummarizer } from './summarizer.js';
export { toolVersion } from './tool-version.js';
export { type Verification, type VerifyImageInput, verifyImage } from './verify-image.js';
export { type CrawlOptions, type CrawlResult, crawlOfficial, latestOfficial } from '@prof-gen/crawler';
export {
  comparisonAsCsv,
  comparisonTables,
  type FiguresTable,
  tablesAsLatex,
  tablesAsMarkdown,
} from '@prof-gen/report';
export { type MeasureOptions, measureRuntimeBase } from '@prof-gen/tracer';
export { openWorkbench, type Workbench, type WorkbenchOptions } from './workbench.js';

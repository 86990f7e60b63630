export { type RenderedReport, renderReport } from './render-report.js';
export type { ReportImage, ReportInput } from './report-input.js';

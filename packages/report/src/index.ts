export { type RenderedReport, renderReport } from './render-report.js';
export type { ReportImage, ReportInput } from './report-input.js';
export { comparisonTables } from './tables/comparison-tables.js';
export {
  comparisonAsCsv,
  type FiguresTable,
  tablesAsLatex,
  tablesAsMarkdown,
} from './tables/table-formats.js';

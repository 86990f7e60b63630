export { type CrawlOptions, type CrawlResult, crawlOfficial } from './crawl-official.js';
export { latestOfficial } from './latest-official.js';

export * from './measure-profile.js';

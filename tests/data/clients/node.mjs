// SPDX-License-Identifier: MIT
import { check } from './client.mjs';

const [base, key] = process.argv.slice(2);
const makeSocket = () => new WebSocket(`${base.replace('http', 'ws')}/execute/ws`,
  { headers: { Authorization: `Bearer ${key}` } });
console.log('REPORT', await check(base, key, 'node', makeSocket));

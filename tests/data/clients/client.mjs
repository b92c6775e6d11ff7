// SPDX-License-Identifier: MIT
// What a browser and Node can do with the server by fetch and WebSocket; run by both. Nothing here
// waits for a time: each step waits for what the server says.

function assert(isTrue, what) {
  if (!isTrue)
    throw new Error(what);
}

/// The events of a text/event-stream, as they come.
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const end = text.indexOf('\n\n');
    if (end >= 0) {
      const event = text.slice(0, end);
      text = text.slice(end + 2);
      if (event.startsWith('data: '))
        yield JSON.parse(event.slice(6));
      continue;
    }
    const { done, value } = await reader.read();
    if (done)
      return;
    text += value;
  }
}

function caller(base, key) {
  return (method, path, body, extra = {}) => fetch(base + path, {
    method,
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
    ...extra,
  });
}

const bash = cmd => ({ request: { cmd } });

async function executes(call) {
  const response = await call('POST', '/execute', { request: { code: 'print("ä" * 3)', runtime: 'python' } });
  const result = await response.json();
  assert(response.status === 200 && result.stdout === 'äää' && result.exitCode === 0, JSON.stringify(result));
}

/// The first event comes while the program still runs: it ends only because we ask for it then.
async function streams(call) {
  const response = await call('POST', '/execute/stream', bash('echo first; sleep 600'));
  assert(response.headers.get('content-type').startsWith('text/event-stream'), 'type of the stream');
  const id = response.headers.get('x-execution-id');
  const seen = [];
  for await (const event of events(response)) {
    seen.push(event);
    if (event.type === 'stdout')
      assert((await call('POST', `/executions/${id}/cancel`)).ok, 'cancel');
  }
  assert(seen[0].data === 'first\n' && seen.at(-1).type === 'exit' && seen.at(-1).data === '137', JSON.stringify(seen));
}

async function streamsMuch(call) {
  const response = await call('POST', '/execute/stream',
    { ...bash("head -c 8M /dev/zero | tr '\\0' x"), options: { maxOutputSize: 16 << 20 } });
  let size = 0;
  let exit;
  for await (const event of events(response)) {
    if (event.type === 'stdout')
      size += event.data.length;
    else
      exit = event;
  }
  assert(size === 8 << 20 && exit.data === '0', `${size} ${JSON.stringify(exit)}`);
}

/// Leaving the stream ends the program.
async function leaves(call) {
  const leaving = new AbortController();
  const response = await call('POST', '/execute/stream', bash('echo up; sleep 600'), { signal: leaving.signal });
  const id = response.headers.get('x-execution-id');
  await events(response).next();
  leaving.abort();
  let state;
  do
    state = await (await call('GET', `/executions/${id}`)).json();
  while (state.state !== 'finished');
  assert(state.result.ending.reason === 'cancelled', JSON.stringify(state));
}

function converses(makeSocket) {
  return new Promise((resolve, reject) => {
    const socket = makeSocket();
    let out = '';
    let exit;
    socket.onerror = () => reject(new Error('WebSocket failed'));
    socket.onopen = () => socket.send(JSON.stringify({
      type: 'execute',
      ...bash("trap 'echo caught; exit 7' TERM; read -r line; echo got $line; while :; do read -r -t 1 more; done"),
    }));
    socket.onmessage = ({ data }) => {
      const event = JSON.parse(data);
      if (event.type === 'exit')
        exit = event.data;
      else
        out += event.data;
      if (out === 'got ünicode\n')
        socket.send(JSON.stringify({ type: 'signal', signal: 'SIGTERM' }));
    };
    socket.onclose = ({ code, reason }) => {
      const said = JSON.stringify([out, exit, code, reason]);
      const wanted = JSON.stringify(['got ünicode\ncaught\n', '7', 1000, 'Execution complete']);
      said === wanted ? resolve() : reject(new Error(said));
    };
    // Before the sandbox is there.
    socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'stdin', data: 'ünicode\n' })));
  });
}

async function keepsSessions(call, name) {
  const sessionId = `${name}-session`;
  assert((await call('POST', '/execute', { ...bash('echo one > kept'), sessionId })).ok, 'session');
  assert((await call('POST', '/file', { sessionId, path: 'given', content: btoa('two') })).ok, 'put');
  const place = path => `/file?sessionId=${sessionId}&path=${path}`;
  const kept = await (await call('GET', place('kept'))).json();
  assert(atob(kept.content) === 'one\n', 'get');
  const { files } = await (await call('GET', `/files?sessionId=${sessionId}`)).json();
  assert(files.map(file => file.name).sort().join() === 'given,kept', JSON.stringify(files));
  assert((await call('DELETE', place('given'))).ok, 'remove');
  assert((await call('GET', place('given'))).status === 404, 'removed');
  assert((await call('DELETE', `/session/${sessionId}`)).ok, 'delete');
}

async function isRefused(base) {
  assert((await fetch(`${base}/health`)).ok, 'health');
  assert((await fetch(`${base}/sessions`)).status === 401, 'no key');
  const wrong = await caller(base, 'wrong')('GET', '/sessions');
  assert(wrong.status === 403 && (await wrong.json()).error === 'Invalid API key', 'wrong key');
}

/// Resolves to the names of what was done; rejects with what was not as it should be.
export async function check(base, key, name, makeSocket) {
  const call = caller(base, key);
  const steps = { executes, streams, streamsMuch, leaves, keepsSessions,
    converses: () => converses(makeSocket), isRefused: () => isRefused(base) };
  for (const [step, run] of Object.entries(steps)) {
    try {
      await run(call, name);
    } catch (problem) {
      throw new Error(`${step}: ${problem.message}`);
    }
  }
  return Object.keys(steps).join();
}

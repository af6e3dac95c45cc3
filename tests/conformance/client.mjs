// The official TypeScript SDK's client against one URL:   client.mjs URL legacy|auto   Prints what it saw as one JSON line.
import { Client, LOG_LEVEL_META_KEY, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [url, mode] = process.argv.slice(2);
const seen = { progress: [], logged: [], changed: [] };

const client = new Client({ name: 'typescript', version: '1' }, {
  capabilities: { elicitation: {}, sampling: {} },
  versionNegotiation: { mode },
});
client.setRequestHandler('elicitation/create', async () => ({ action: 'accept', content: { name: 'Ada' } }));
client.setRequestHandler('sampling/createMessage', async () => ({
  role: 'assistant', model: 'm', content: { type: 'text', text: '42' },
}));

client.setNotificationHandler('notifications/message', ({ params }) => { seen.logged.push(params.data); });
const changed = new Promise(resolve => client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
  seen.changed.push(params.uri);
  resolve();
}));

await client.connect(new StreamableHTTPClientTransport(new URL(url)));
seen.version = client.getNegotiatedProtocolVersion?.();
const call = async (name, args, options) => (await client.callTool({ name, arguments: args ?? {} }, options)).content[0].text;
seen.tools = (await client.listTools()).tools.map(tool => tool.name).sort();
seen.greet = await call('greet');
seen.think = await call('think');
await call('steps', {}, { onprogress: report => seen.progress.push(report.progress) });
await client.callTool({ name: 'tell', arguments: {}, _meta: { [LOG_LEVEL_META_KEY]: 'info' } });
// Without a subscription the server tells its one legacy client all the same.
const subscription = mode === 'auto' ? await client.listen({ resourceSubscriptions: ['test://thing'] }) : undefined;
await call('touch');
await changed;
await subscription?.close();
const abort = new AbortController();
setTimeout(() => abort.abort(), 500);
await call('wait', { name: 'typescript' }, { signal: abort.signal }).then(() => { seen.wait = 'answered'; }, () => { seen.wait = 'cancelled'; });
for (let tries = 0; tries < 100 && !seen.cancelled; tries += 1) {
  const { content } = await client.callTool({ name: 'was_cancelled', arguments: {} });
  seen.cancelled = JSON.stringify(content).includes('typescript');
  if (!seen.cancelled) await new Promise(resolve => setTimeout(resolve, 50));
}
await client.close();
console.log(JSON.stringify(seen));

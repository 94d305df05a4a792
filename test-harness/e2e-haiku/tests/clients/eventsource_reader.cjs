// Reads one stream with EventSource, which comes back by itself after a break. Nobody closes it here: it has to
// learn from the server that there is nothing more.
const { EventSource } = require('eventsource')

const tell = (said) => process.stdout.write(JSON.stringify(said) + '\n')
const source = new EventSource(process.argv[2])
for (const name of ['started', 'token', 'metrics', 'end', 'error']) {
  source.addEventListener(name, (event) => {
    if (event.data !== undefined) {
      tell({ name, id: event.lastEventId, data: event.data })
    } else if (source.readyState === EventSource.CLOSED) {
      // The event named `error` without data is the client's own: it has given up for good.
      tell({ name: 'closed', id: '', data: JSON.stringify({ status: event.code }) })
    }
  })
}

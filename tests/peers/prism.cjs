// A server of each contract that is asked for, which holds requests against it and makes up what it answers. Any other
// question may set which answers it prefers. Its answer is the requests since the last such question, with their faults.
'use strict'

const { createInterface } = require('node:readline')
const { getHttpOperationsFromSpec } = require('@stoplight/prism-http')
const { createServer } = require('@stoplight/prism-http-server')

let requests = []

// Prism says in its log alone which requests came, and what is wrong with those that it answers all the same.
const log = ({ input }, message) => {
  if (message === 'Request received') {
    const { method, url, body } = input
    const path = decodeURIComponent(url.path)
    requests.push({ method: method.toUpperCase(), path, query: url.query, body, violations: [] })
  } else if (/^(Violation|Request terminated)/.test(message)) {
    requests.at(-1).violations.push(message)
  }
}
const quiet = () => {}
const logger = { trace: quiet, debug: quiet, info: log, success: quiet, warn: log, error: log, child: () => logger }
const mock = { dynamic: true }
const config = {
  mock,
  validateRequest: true,
  validateResponse: false,
  checkSecurity: true,
  errors: true,
  isProxy: false,
}

const questions = createInterface({ input: process.stdin })
questions.on('line', async (line) => {
  const { contract, prefer } = JSON.parse(line)
  if (!contract) {
    Object.assign(mock, prefer)
    console.log(JSON.stringify(requests))
    requests = []
    return
  }
  const operations = await getHttpOperationsFromSpec(contract)
  const server = createServer(operations, { cors: false, config, components: { logger } })
  console.log(JSON.stringify(await server.listen(0, '127.0.0.1')))
})
questions.on('close', () => process.exit())

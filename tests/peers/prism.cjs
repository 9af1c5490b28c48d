// A server of each contract that is asked for, which holds requests against it and makes up what it answers.
'use strict'

const { createInterface } = require('node:readline')
const { getHttpOperationsFromSpec } = require('@stoplight/prism-http')
const { createServer } = require('@stoplight/prism-http-server')

const quiet = () => {}
const logger = { trace: quiet, debug: quiet, info: quiet, success: quiet, warn: quiet, error: quiet, child: () => logger }
const config = {
  mock: { dynamic: true },
  validateRequest: true,
  validateResponse: false,
  checkSecurity: true,
  errors: true,
  isProxy: false,
}

const questions = createInterface({ input: process.stdin })
questions.on('line', async (line) => {
  const operations = await getHttpOperationsFromSpec(JSON.parse(line).contract)
  const server = createServer(operations, { cors: false, config, components: { logger } })
  console.log(JSON.stringify(await server.listen(0, '127.0.0.1')))
})
questions.on('close', () => process.exit())

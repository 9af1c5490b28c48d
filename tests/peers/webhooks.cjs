// Signs and verifies as the library that is named does. A question a line, in JSON; an answer a line.
// Not a module, as those are not looked for where NODE_PATH says.

const { Webhook } = require(process.argv[2]);

function answer({ secret, body, headers, id, timestamp }) {
  const webhook = new Webhook(secret);
  body = Buffer.from(body, "base64");
  if (!headers) return webhook.sign(id, new Date(timestamp * 1000), body);
  webhook.verify(body, headers);
  return "verified";
}

require("readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const question = JSON.parse(line);
    let said;
    try {
      said = { ok: answer(question) };
    } catch (error) {
      said = { error: error.constructor.name };
    }
    console.log(JSON.stringify(said));
  });

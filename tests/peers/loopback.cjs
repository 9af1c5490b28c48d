// Lets a server of Node listen to this machine alone: `node --require loopback.cjs server.js`. kinesis-local has no setting
// for that, and calls `listen(port, done)`.
const net = require("node:net");

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, done) {
  return listen.call(this, { port, host: "127.0.0.1" }, done);
};

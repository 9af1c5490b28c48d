//! A server that accepts every request, and a client that uses its paths as hosts.

use ampersand_client::{Client, ClientBuilder, Host, Retry};
use test_support::server::{Request, Server, response};

pub(crate) struct Peer {
    pub(crate) client: Client,
    pub(crate) server: Server,
}

impl Peer {
    /// Responds to every request in the same way.
    pub(crate) fn answering(status: u16, content_type: &str, body: &str) -> Self {
        Self::script([(status, &*format!("content-type: {content_type}"), body.to_owned())])
    }

    /// Sends one response after the other, and repeats the last: status, a header, body.
    pub(crate) fn script<const N: usize>(answers: [(u16, &str, String); N]) -> Self {
        Self::with(answers, Retry::NEVER)
    }

    pub(crate) fn with<const N: usize>(answers: [(u16, &str, String); N], retry: Retry) -> Self {
        let server = Server::script(answers.map(|(status, header, body)| {
            let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
            // A server declares text if the test sets no content type.
            let text =
                if header.starts_with("content-type: ") { "" } else { "content-type: text/plain; charset=utf-8\r\n" };
            response(status, &format!("{header}{text}"), body)
        }));
        let builder = Client::builder().api_key("secret").bearer_token("secret").retry(retry);
        let at = |builder: ClientBuilder, host: &Host| {
            builder.base_url(*host, server.at::<String>(&format!("/{}", host.name())))
        };
        Self { client: Host::ALL.iter().fold(builder, at).build().unwrap(), server }
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// Returns the only request that the server received.
    pub(crate) fn only(&self) -> Request {
        let [one] = self.seen().try_into().unwrap();
        one
    }
}

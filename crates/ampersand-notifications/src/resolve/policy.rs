use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The limits of a [`Resolver`](crate::Resolver) for URLs that come from outside.
///
/// The defaults are for the internet. A test against your own server allows more:
///
/// ```
/// use ampersand_notifications::{Policy, Resolver};
///
/// let local = Policy { allow_http: true, allow_private_addresses: true, ..Policy::default() };
/// let resolver = Resolver::new(local)?;
/// # Ok::<(), ampersand_notifications::ResolveError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The allowed hosts, as a URL spells them, without a port: `storage.googleapis.com`, or `*.s3.amazonaws.com` for all
    /// subdomains. Default: `None`, which allows any host within the other rules.
    pub hosts: Option<Vec<String>>,
    /// Whether to allow `http`. Default: false, because others could read the URL on the way.
    pub allow_http: bool,
    /// Whether to allow addresses outside the public internet, such as loopback and private networks. Default: false. The
    /// metadata services of clouds and all link-local addresses are never allowed.
    pub allow_private_addresses: bool,
    /// The most bytes of a value in memory, after decompression. Default: 64 MiB. A value of unannounced size may take
    /// twice as many while it grows.
    pub max_bytes: usize,
    /// The most redirects to follow, each within the same rules. Default: 3.
    pub max_redirects: u32,
    /// The most attempts of a download, at least one. Default: 4.
    pub max_attempts: u32,
    /// The timeout to connect. Default: 5 seconds.
    pub connect_timeout: Duration,
    /// The longest silence of a server. Default: 15 seconds.
    pub idle_timeout: Duration,
    /// The timeout for one value, with all attempts and the pauses between them. Default: 60 seconds. For
    /// [`download`](crate::Resolver::download), the timeout until the server begins to respond.
    pub timeout: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hosts: None,
            allow_http: false,
            allow_private_addresses: false,
            max_bytes: 64 << 20,
            max_redirects: 3,
            max_attempts: 4,
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(15),
            timeout: Duration::from_secs(60),
        }
    }
}

/// Why a [`Policy`] forbids a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Blocked {
    /// It is not a URL with a host.
    NotAUrl,
    /// It is `http`, not `https`: see [`Policy::allow_http`].
    NotHttps,
    /// It is neither `https` nor `http`, but `ftp` or `file`, for example.
    Scheme,
    /// It contains a user name or a password, which the request would send.
    Credentials,
    /// The host is not one of [`Policy::hosts`].
    Host(String),
    /// The host is, or its name resolves to, a forbidden address: see [`Policy::allow_private_addresses`].
    Address(IpAddr),
    /// It has more redirects than [`Policy::max_redirects`].
    Redirects,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAUrl => f.write_str("it is not a URL"),
            Self::NotHttps => f.write_str("it is not https"),
            Self::Scheme => f.write_str("it is neither https nor http"),
            Self::Credentials => f.write_str("it has credentials in it"),
            Self::Host(host) => write!(f, "{host} is not one of the hosts that are allowed"),
            Self::Address(address) => write!(f, "{address} is private, link-local or otherwise not to be asked"),
            Self::Redirects => f.write_str("it redirects too often"),
        }
    }
}

impl std::error::Error for Blocked {}

/// Whether an address is allowed.
pub(super) type Rule = fn(IpAddr) -> bool;

impl Policy {
    pub(super) fn rule(&self) -> Rule {
        if self.allow_private_addresses { |address| !is_metadata(address) } else { is_public }
    }

    /// Checks a URL. [`Guard`] checks the addresses of its host name when it connects.
    pub(super) fn check(&self, url: &Url, rule: Rule) -> Result<(), Blocked> {
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            "http" => return Err(Blocked::NotHttps),
            _ => return Err(Blocked::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Blocked::Credentials);
        }
        let host = url.host_str().ok_or(Blocked::NotAUrl)?;
        if self.hosts.as_ref().is_some_and(|hosts| !hosts.iter().any(|entry| stands_for(entry, host))) {
            return Err(Blocked::Host(host.to_owned()));
        }
        match host.trim_matches(['[', ']']).parse() {
            Ok(address) if !rule(address) => Err(Blocked::Address(address)),
            _ => Ok(()),
        }
    }
}

/// Whether an entry of [`Policy::hosts`] matches a host.
fn stands_for(entry: &str, host: &str) -> bool {
    match entry.strip_prefix('*') {
        Some(parent) if parent.len() > 1 && parent.starts_with('.') => host
            .len()
            .checked_sub(parent.len())
            .and_then(|start| host.split_at_checked(start))
            .is_some_and(|(below, end)| !below.is_empty() && end.eq_ignore_ascii_case(parent)),
        _ => entry.eq_ignore_ascii_case(host),
    }
}

/// Resolves names, and fails if an address is forbidden. The client connects to the addresses that it returns, so a
/// name cannot change between the check and the connection.
pub(super) struct Guard<L> {
    pub(super) lookup: L,
    pub(super) rule: Rule,
}

impl<L: Resolve> Resolve for Guard<L> {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, rule) = (self.lookup.resolve(name), self.rule);
        Box::pin(async move {
            let addresses: Vec<_> = found.await?.collect();
            match addresses.iter().find(|address| !rule(address.ip())) {
                Some(address) => Err(Blocked::Address(address.ip()).into()),
                None => Ok(Box::new(addresses.into_iter()) as Addrs),
            }
        })
    }
}

/// The system's resolver.
pub(super) struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is on the public internet: globally reachable by the registries of
/// [IPv4](https://www.iana.org/assignments/iana-ipv4-special-registry) and
/// [IPv6](https://www.iana.org/assignments/iana-ipv6-special-registry) special-purpose addresses.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Whether an address is link-local, or otherwise that of a cloud's metadata service.
fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_metadata_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(inner) => is_metadata_v4(inner),
            None => {
                address.is_unicast_link_local()
                    || matches!(
                        address.segments(),
                        [0xfd00, 0xec2, ..]
                            | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]
                            | [0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42]
                    )
            }
        },
    }
}

fn is_metadata_v4(address: Ipv4Addr) -> bool {
    address.is_link_local() || [[168, 63, 129, 16], [100, 100, 100, 200], [192, 0, 0, 192]].contains(&address.octets())
}

/// The IPv4 address in an IPv6 address: mapped, compatible, translated or tunnelled.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let (high, low) = match address.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0 | 1, .., high, low]
        | [0x2002, high, low, ..] => (high, low),
        _ => return None,
    };
    Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        [0 | 10 | 127, ..] => true,                    // this network, private, loopback
        [100, 64..=127, ..] => true,                   // between a provider and its customers
        [169, 254, ..] => true,                        // link-local, and metadata services
        [172, 16..=31, ..] | [192, 168, ..] => true,   // private
        [192, 0, 0 | 2, _] | [192, 88, 99, _] => true, // protocols, documentation, relays of 6to4
        [198, 18 | 19, ..] => true,                    // benchmarks
        [198, 51, 100, _] | [203, 0, 113, _] => true,  // documentation
        [168, 63, 129, 16] => true,                    // the metadata service of Azure
        [224..=255, ..] => true,                       // multicast, reserved, broadcast
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x2002, ..] => {
            embedded_v4(address).is_some_and(is_public_v4)
        }
        [0x2001, 0..=0x1ff, ..] => false, // protocols, Teredo among them
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false, // documentation
        [0x2000..=0x3fff, ..] => true,    // allocated
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_public() {
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.2",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address.parse().expect(address)), "{address}");
        }
    }

    #[test]
    fn metadata_services_are_not_asked_even_where_private_addresses_are() {
        let rule = Policy { allow_private_addresses: true, ..Policy::default() }.rule();
        for (address, allowed) in [
            ("127.0.0.1", true),
            ("10.0.0.1", true),
            ("::1", true),
            ("fd00::1", true),
            ("1.1.1.1", true),
            ("169.254.169.254", false),
            ("169.254.170.2", false),
            ("168.63.129.16", false),
            ("100.100.100.200", false),
            ("::ffff:169.254.169.254", false),
            ("fe80::1", false),
            ("fd00:ec2::254", false),
            ("fd00:ec2::23", false),
            ("fd20:ce::254", false),
            ("fd00:42::42", false),
            ("fd00:42::43", true),
            ("192.0.0.192", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("64:ff9b:1::a9fe:a9fe", false),
            ("2002:a9fe:a9fe::", false),
            ("::a9fe:a9fe", false),
            ("::ffff:0:a9fe:a9fe", false),
        ] {
            assert_eq!(rule(address.parse().expect(address)), allowed, "{address}");
        }
    }

    #[test]
    fn addresses_that_are_public() {
        for address in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "142.250.0.1",
            "168.63.129.17",
            "169.253.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2001:200::1",
            "2002:101:101::1",
            "2600:1f18::1",
            "2a00:1450:4001::1",
        ] {
            assert!(is_public(address.parse().expect(address)), "{address}");
        }
    }

    #[test]
    fn what_can_be_seen_of_a_url() {
        let host = |host: &str| Err(Blocked::Host(host.to_owned()));
        let address = |address: &str| Err(Blocked::Address(address.parse().expect("an address")));
        let listed = Policy { hosts: Some(vec!["a.test".into(), "*.b.test".into()]), ..Policy::default() };
        let (open, none) = (Policy::default(), Policy { hosts: Some(Vec::new()), ..Policy::default() });
        let nothing = Policy { hosts: Some(vec!["*.".into(), "*".into(), "".into()]), ..Policy::default() };
        for (policy, url, expected) in [
            (&open, "https://a.test/x?y", Ok(())),
            (&open, "HTTPS://1.1.1.1:8443", Ok(())),
            (&open, "http://a.test", Err(Blocked::NotHttps)),
            (&open, "file:///etc/passwd", Err(Blocked::Scheme)),
            (&open, "https://ada@a.test", Err(Blocked::Credentials)),
            (&open, "https://:secret@a.test", Err(Blocked::Credentials)),
            (&open, "https://127.0.0.1", address("127.0.0.1")),
            (&open, "https://2130706433", address("127.0.0.1")),
            (&open, "https://0x7f.1", address("127.0.0.1")),
            (&open, "https://0251.0376.0251.0376", address("169.254.169.254")),
            (&open, "https://[::ffff:10.0.0.1]", address("::ffff:10.0.0.1")),
            (&listed, "https://A.test", Ok(())),
            (&listed, "https://x.y.B.test", Ok(())),
            (&listed, "https://b.test", host("b.test")),
            (&listed, "https://xb.test", host("xb.test")),
            (&listed, "https://a.test.evil.test", host("a.test.evil.test")),
            (&listed, "https://a.test@evil.test", Err(Blocked::Credentials)),
            (&none, "https://a.test", host("a.test")),
            (&nothing, "https://a.test.", host("a.test.")),
        ] {
            assert_eq!(policy.check(&url.parse().expect(url), is_public), expected, "{url}");
        }
        let http = Policy { allow_http: true, ..Policy::default() };
        assert_eq!(http.check(&"http://a.test".parse().expect("a URL"), is_public), Ok(()));
        let ftp = http.check(&"ftp://a.test".parse().expect("a URL"), is_public);
        assert_eq!(ftp, Err(Blocked::Scheme));
    }
}

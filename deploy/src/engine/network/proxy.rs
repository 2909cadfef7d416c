//! The proxies that the environment names, as curl reads it
//! (<https://everything.curl.dev/usingcurl/proxies/env.html>).

use std::error::Error;
use std::ffi::OsString;
use std::fmt;

use hyper::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::environment::variable;
use crate::engine::{ErrorKind, TargetError, causes};

/// Reached without a proxy, whatever the environment says: this machine, and the addresses at which a machine or a
/// container on AWS asks for its own credentials, where a proxy would answer with those of its own machine
/// (<https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-proxy.html>).
const NEVER: &str = "localhost,127.0.0.0/8,::1,::ffff:127.0.0.0/104,169.254.0.0/16,fd00:ec2::/32";

/// A proxy for HTTP. Its password is in nothing that is printed.
#[derive(Clone)]
pub struct Proxy {
    /// The variable that names it.
    variable: &'static str,
    scheme: &'static str,
    host_and_port: String,
    /// Name and password, encoded for a URL.
    login: Option<String>,
}

impl Proxy {
    /// Its URL with name and password, for libraries only.
    pub(crate) fn secret_url(&self) -> String {
        let login = self
            .login
            .as_ref()
            .map(|login| format!("{login}@"))
            .unwrap_or_default();
        format!("{}://{login}{}", self.scheme, self.host_and_port)
    }

    /// Reads the value of `variable`.
    fn parsed(variable: &'static str, value: OsString) -> Result<Self, TargetError> {
        // A value may hold a password, so no error quotes it.
        let wrong = |why: &str| {
            TargetError::new(
                ErrorKind::Usage,
                format!("{variable} does not name a proxy: {why}"),
            )
            .with_hint(format!(
                "write it as http://HOST:PORT or http://NAME:PASSWORD@HOST:PORT, with %40 for an @ in the password, or \
                 unset {variable}"
            ))
        };
        let value = value.into_string().map_err(|_| wrong("it is not UTF-8"))?;
        let value = value.trim();
        let (scheme, rest) = value.split_once("://").unwrap_or(("http", value));
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => "http",
            "https" => "https",
            socks if socks.starts_with("socks") => {
                return Err(wrong(
                    "it is a SOCKS proxy, and chatctl uses HTTP proxies only",
                ));
            }
            _ => return Err(wrong("its scheme is neither http nor https")),
        };
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        if rest[authority.len()..].contains('@') {
            return Err(wrong(
                "its name or password has one of / ? # in it, which is written as %2F, %3F or %23",
            ));
        }
        let (login, host_and_port) = match authority.rsplit_once('@') {
            Some((login, host_and_port)) => (Some(login), host_and_port),
            None => (None, authority),
        };
        let uri = format!("{scheme}://{host_and_port}/").parse::<Uri>();
        let uri = uri.map_err(|_| wrong("it is no URL"))?;
        if uri.host().is_none_or(str::is_empty) {
            return Err(wrong("it names no host"));
        }
        let behind_host = host_and_port.rsplit(']').next().unwrap_or_default();
        if behind_host.contains(':') && !matches!(uri.port_u16(), Some(1..)) {
            return Err(wrong("its port is not a number from 1 to 65535"));
        }
        let login = login.map(|login| {
            let part = |text: &str| {
                let plain = percent_decode_str(text).decode_utf8_lossy();
                utf8_percent_encode(&plain, NON_ALPHANUMERIC).to_string()
            };
            match login.split_once(':') {
                Some((name, password)) => format!("{}:{}", part(name), part(password)),
                None => part(login),
            }
        });
        Ok(Self {
            variable,
            scheme,
            host_and_port: host_and_port.to_owned(),
            login,
        })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scheme,
            host_and_port,
            variable,
            ..
        } = self;
        write!(out, "{scheme}://{host_and_port} ({variable})")
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// Which proxy leads where.
#[derive(Debug)]
pub struct Proxies {
    https: Option<Proxy>,
    http: Option<Proxy>,
    /// Rules for hosts that are reached without one, separated by commas.
    exempt: String,
    matcher: Matcher,
}

impl Proxies {
    /// The proxies that the variables of this process name.
    ///
    /// # Errors
    /// A variable has a value that names no proxy that can be used.
    pub(crate) fn from_environment() -> Result<Self, TargetError> {
        Self::named_by(variable)
    }

    /// The same for any `environment`. An empty variable is one that is not set; small letters win.
    pub(super) fn named_by(
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, TargetError> {
        let value = |variable: &str| environment(variable).filter(|value| !value.is_empty());
        let proxy = |variables: [&'static str; 4]| {
            let mut found = variables
                .into_iter()
                .filter_map(|variable| Some((variable, value(variable)?)));
            found
                .next()
                .map(|(variable, value)| Proxy::parsed(variable, value))
                .transpose()
        };
        let rules = value("no_proxy").or_else(|| value("NO_PROXY"));
        let exempt = rules
            .map(|rules| normalised(&rules.to_string_lossy()))
            .unwrap_or_default();
        Ok(Self {
            https: proxy(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            http: proxy(["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?,
            // Which proxy is decided here; the matcher's own is only asked whether there is to be one.
            matcher: Matcher::builder()
                .all("http://proxy")
                .no(format!("{NEVER},{exempt}"))
                .build(),
            exempt,
        })
    }

    /// The proxy that leads to `uri`; `None` where it is reached directly.
    pub fn to(&self, uri: &Uri) -> Option<&Proxy> {
        let (proxy, scheme) = match uri.scheme_str()? {
            "https" | "wss" => (self.https.as_ref()?, "https"),
            _ => (self.http.as_ref()?, "http"),
        };
        let host = uri.host()?.trim_end_matches('.');
        let asked = format!("{scheme}://{host}/").parse().ok()?;
        self.matcher.intercept(&asked).is_some().then_some(proxy)
    }

    /// For `https` and for `http`, each with the rules for hosts that are reached without.
    pub fn each(&self) -> [Option<(&Proxy, String)>; 2] {
        let rules = || format!("{NEVER},{}", self.exempt);
        [&self.https, &self.http].map(|proxy| Some((proxy.as_ref()?, rules())))
    }
}

impl fmt::Display for Proxies {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.https {
            None => out.write_str("no proxy")?,
            Some(proxy) => write!(out, "through the proxy {proxy}")?,
        }
        if self.https.is_some() && !self.exempt.is_empty() {
            write!(out, ", but not to {} (NO_PROXY)", self.exempt)?;
        }
        Ok(())
    }
}

/// Rules as [`Matcher`] takes them. curl also separates them by spaces, and ignores brackets and a dot at the end;
/// `*.` in front is what people write for a domain with all below it.
fn normalised(rules: &str) -> String {
    let rules = rules.split(|c: char| c == ',' || c.is_whitespace());
    let rules = rules.map(|rule| {
        let rule = rule
            .strip_prefix('*')
            .filter(|rest| rest.starts_with('.'))
            .unwrap_or(rule);
        rule.trim_matches(['[', ']']).trim_end_matches('.')
    });
    rules
        .filter(|rule| !rule.is_empty())
        .collect::<Vec<_>>()
        .join(",")
}

/// A proxy that did not lead to its target.
#[derive(Debug, thiserror::Error)]
#[error("the proxy {proxy} {why}")]
pub struct ProxyFailure {
    proxy: String,
    why: String,
    /// It requires a name and a password, so trying again is in vain.
    pub is_login_required: bool,
}

impl ProxyFailure {
    /// What happened when `proxy` was asked for `target`, by the words of `error` and its causes.
    pub fn from_error(proxy: &Proxy, target: &str, error: &(dyn Error + 'static)) -> Self {
        let chain: Vec<_> = causes(error).map(ToString::to_string).collect();
        let has = |words: &str| chain.iter().any(|text| text.contains(words));
        let last = chain.last().map_or("", String::as_str);
        let why = if has("proxy authorization required") {
            return Self::for_login(proxy);
        } else if has("tunnel error: unsuccessful") || has("headers too long") {
            format!("refuses to connect to {target}")
        } else if has("tunnel error: unexpected end of file") {
            format!("ended the connection when it was asked for {target}")
        } else if has("underlying connection")
            || has("error trying to connect")
            || has("tcp connect")
        {
            format!("cannot be reached: {last}")
        } else {
            format!("does not lead to {target}: {last}")
        };
        Self::new(proxy, why)
    }

    /// `why` goes on after the name of the proxy.
    pub fn new(proxy: &Proxy, why: String) -> Self {
        Self {
            proxy: proxy.to_string(),
            why,
            is_login_required: false,
        }
    }

    /// It has answered 407.
    pub(crate) fn for_login(proxy: &Proxy) -> Self {
        let why = match proxy.login {
            Some(_) => "does not accept the name and password in that variable",
            None => "wants a name and a password",
        };
        Self {
            is_login_required: true,
            ..Self::new(proxy, why.to_owned())
        }
    }

    /// What the reader can do.
    pub fn hint(&self) -> &'static str {
        match self.is_login_required {
            true => {
                "write them into the variable, as http://NAME:PASSWORD@HOST:PORT; a proxy that wants another way of \
                 signing in than Basic needs a helper program in between"
            }
            false => {
                "check the variable that names the proxy; hosts that are reached without it belong into NO_PROXY, \
                 separated by commas"
            }
        }
    }
}

//! What of this machine decides the way: its variables, and the addresses that names lead to. Tests bring their own.

use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;

/// The value of the variable `name` of this process.
pub(super) fn variable(name: &str) -> Option<OsString> {
    #[cfg(test)]
    if let Some(value) = stand_in::variable(name) {
        return value;
    }
    std::env::var_os(name)
}

/// The addresses of `host`, which may be one itself, in brackets if it is of IPv6.
///
/// # Errors
/// The name leads nowhere, or names cannot be resolved here.
pub(in crate::engine) async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    #[cfg(test)]
    if let Some(found) = stand_in::addresses(host) {
        return found;
    }
    let found = tokio::net::lookup_host(format!("{host}:{port}")).await?;
    Ok(found.collect())
}

/// A machine whose variables and names a test has chosen.
#[cfg(test)]
pub(in crate::engine) mod stand_in {
    use std::collections::BTreeMap;

    use super::*;

    tokio::task_local! {
        static MACHINE: Machine;
    }

    /// Its variables are these alone, and its names lead where the test says, whatever the port: servers of tests have
    /// ephemeral ones.
    #[derive(Debug, Default)]
    pub(in crate::engine) struct Machine {
        variables: BTreeMap<&'static str, OsString>,
        names: BTreeMap<&'static str, Vec<SocketAddr>>,
    }

    impl Machine {
        pub(in crate::engine) fn with(
            mut self,
            variable: &'static str,
            value: impl Into<OsString>,
        ) -> Self {
            self.variables.insert(variable, value.into());
            self
        }

        /// `name` leads to `address`.
        pub(in crate::engine) fn resolving(
            mut self,
            name: &'static str,
            address: SocketAddr,
        ) -> Self {
            self.names.entry(name).or_default().push(address);
            self
        }

        /// Does `work` on this machine.
        pub(in crate::engine) async fn runs<T>(self, work: impl Future<Output = T>) -> T {
            MACHINE.scope(self, work).await
        }
    }

    /// `None` where no test has chosen a machine.
    pub(super) fn variable(name: &str) -> Option<Option<OsString>> {
        MACHINE
            .try_with(|machine| machine.variables.get(name).cloned())
            .ok()
    }

    /// `None` for addresses, and where no test has chosen a machine.
    pub(super) fn addresses(host: &str) -> Option<io::Result<Vec<SocketAddr>>> {
        if host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok()
        {
            return None;
        }
        let found = MACHINE.try_with(|machine| machine.names.get(host).cloned());
        let unknown = || io::Error::new(io::ErrorKind::NotFound, "the name is not known");
        Some(found.ok()?.ok_or_else(unknown))
    }
}

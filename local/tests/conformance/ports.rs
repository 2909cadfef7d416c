//! The ports of a stack. Only Linux lists the sockets of a process in a file.
#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};

use crate::world::within;

/// The ports on which process `id` listens, with their addresses in the kernel's notation.
fn listening(id: u32) -> BTreeSet<(String, u16)> {
    let mut sockets = BTreeMap::new();
    for table in ["tcp", "tcp6"] {
        let table = std::fs::read_to_string(format!("/proc/{id}/net/{table}")).unwrap();
        for line in table.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // 0A: the state of a listening socket.
            if fields[3] == "0A" {
                let (address, port) = fields[1].split_once(':').unwrap();
                let port = u16::from_str_radix(port, 16).unwrap();
                let inode = format!("socket:[{}]", fields[9]);
                sockets.insert(inode, (address.to_owned(), port));
            }
        }
    }
    let files = std::fs::read_dir(format!("/proc/{id}/fd")).unwrap();
    files
        .filter_map(|file| std::fs::read_link(file.unwrap().path()).ok())
        .filter_map(|target| sockets.remove(target.to_str()?))
        .collect()
}

/// A program of any user could find another listener of the database in the kernel's list of ports, and bypass IAM
/// through it.
#[tokio::test]
async fn a_stack_only_listens_on_the_ports_of_its_gateway_and_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/templates/table.yaml");
    let test = std::env::current_exe().unwrap();
    let target = test.parent().unwrap().parent().unwrap();
    let mut child = tokio::process::Command::new(target.join("examples/run_template"))
        .args([&template, &folder.path().join("tables.db")])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut published = BTreeSet::new();
    for prefix in ["tables http://127.0.0.1:", "gateway ws://127.0.0.1:"] {
        let line = within(lines.next_line()).await.unwrap().unwrap();
        let rest = line.strip_prefix(prefix).unwrap();
        let port = rest.split('/').next().unwrap().parse().unwrap();
        // 127.0.0.1 in the machine's byte order.
        let address = format!("{:08X}", u32::from_ne_bytes([127, 0, 0, 1]));
        published.insert((address, port));
    }
    assert_eq!(listening(child.id().unwrap()), published);
    child.kill().await.unwrap();
}

//! Runs a template without functions until it is killed: `run_template TEMPLATE TABLE_FILE`. Prints the addresses of
//! its tables and its gateway.

use std::io::Write;
use std::path::PathBuf;

use chatctl_local::{LocalStack, Observer, Options, StackRequest, TableStorage};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let template = arguments.next().ok_or("name a template")?;
    let file = arguments.next().ok_or("name a file for the tables")?;
    let request = StackRequest::new("example", std::fs::read_to_string(template)?);
    let options = Options::default().with_tables(TableStorage::File(PathBuf::from(file)));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let stack = LocalStack::start(request, options, Observer::silent()).await?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "tables {}", stack.status().tables_endpoint)?;
        writeln!(stdout, "gateway {}", stack.endpoint())?;
        std::future::pending().await
    })
}

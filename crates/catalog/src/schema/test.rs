//! `[test-suites]`, `[tests]` and `[test-groups]`: kept for azldev, not run by Lazuli yet.

use super::{Local, Table, entry, record, replaced};
use crate::value::TestSuiteName;

/// Test frameworks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TestType {
    /// Python's pytest.
    Pytest,
    /// LISA, for whole machines.
    Lisa,
    /// The test management tool.
    Tmt,
}
replaced!(TestType);

entry! {
    /// A test suite that images name.
    TestSuite {
        /// What it tests, in a line.
        description: Option<String>,
        /// The framework.
        #[serde(rename = "type")]
        kind: TestType,
        /// Settings of pytest.
        pytest: Option<Pytest>,
        /// Settings of LISA.
        #[serde(default)]
        lisa: Table<String, serde_json::Value>,
    }
}

/// How the dependencies of a pytest suite are installed.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum InstallMode {
    /// From `pyproject.toml`.
    Pyproject,
    /// From `requirements.txt`.
    Requirements,
    /// Not at all.
    #[default]
    None,
}
replaced!(InstallMode);

record! {
    /// Settings of pytest.
    Pytest {
        /// The folder that it runs in.
        working_dir: Option<Local<String>>,
        /// Tests: paths or globs below `working-dir`.
        test_paths: Vec<String>,
        /// More arguments; `{image-path}`, `{image-name}` and `{capabilities}` stand for their values.
        extra_args: Vec<String>,
        /// How dependencies are installed. Default: `none`.
        install: Option<InstallMode>,
    }
}

/// Kinds of test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TestKind {
    /// Does it work.
    Functional,
    /// How fast is it.
    Performance,
}
replaced!(TestKind);

entry! {
    /// A test that components and images name.
    Test {
        /// The framework.
        #[serde(rename = "type")]
        r#type: TestType,
        /// What it tests, in a line.
        description: Option<String>,
        /// The kind of test.
        kind: Option<TestKind>,
        /// It may run for hours. Default: false.
        long_running: Option<bool>,
        /// Its metrics are worth keeping. Default: false.
        metrics_enabled: Option<bool>,
        /// Capabilities that an image must have.
        #[serde(default)]
        required_capabilities: Vec<String>,
        /// Settings of pytest.
        #[serde(default)]
        pytest: Table<String, serde_json::Value>,
        /// Settings of LISA.
        #[serde(default)]
        lisa: Table<String, serde_json::Value>,
        /// Settings of tmt.
        #[serde(default)]
        tmt: Table<String, serde_json::Value>,
    }
}

record! {
    /// A list of tests.
    TestGroup {
        /// What it tests, in a line.
        description: Option<String>,
        /// Its members, in order.
        tests: Vec<TestReference>,
    }
}

record! {
    /// A reference to a test or to a group: exactly one of the two keys.
    TestReference {
        /// A test.
        name: Option<TestSuiteName>,
        /// A group.
        group: Option<TestSuiteName>,
    }
}

entry! {
    /// A reference to a test suite.
    TestSuiteReference {
        /// The key of the suite in `[test-suites]`.
        name: TestSuiteName,
    }
}

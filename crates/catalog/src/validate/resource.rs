//! Rules of repositories.

use crate::resolve::Fault;
use crate::schema::{Resources, RpmRepository};
use crate::value::Url;

/// The one kind of repository.
const RPM_MD: &str = "rpm-md";

pub(super) fn resources(resources: &Resources, faults: &mut Vec<Fault>) {
    for (name, one) in &resources.rpm_repos {
        repository(one, &["resources", "rpm-repos", name.as_str()], faults);
    }
    for (name, template) in &resources.rpm_repo_set_templates {
        let key = ["resources", "rpm-repo-set-templates", name.as_str()];
        if template.subrepos.is_empty() {
            let fault = Fault::new(format!("template `{name}` has no `subrepos`")).at(&key);
            faults.push(fault.help("add `subrepos = [{ name = \"…\", subpath = \"…\" }]`"));
        }
        for (index, one) in template.subrepos.iter().enumerate() {
            let number = index.to_string();
            let key = [key.as_slice(), &["subrepos", &number]].concat();
            if template.subrepos[..index]
                .iter()
                .any(|other| other.name == one.name)
            {
                faults.push(Fault::new(format!("`{}` stands twice in template `{name}`", one.name)).at(&key));
            }
            if one.subpath.starts_with('/') || one.subpath.split('/').any(|part| part == "..") {
                let fault = Fault::new(format!(
                    "`{}` is not a path below the address of a set",
                    one.subpath
                ));
                faults.push(
                    fault
                        .at(&[key.as_slice(), &["subpath"]].concat())
                        .help("expected a relative path without `..`"),
                );
            }
        }
    }
    for (name, set) in &resources.rpm_repo_sets {
        let key = ["resources", "rpm-repo-sets", name.as_str()];
        address("base-uri", &set.base_uri, &key, faults);
        signature(
            set.gpg_key.is_some(),
            set.disable_gpg_check,
            "set",
            name.as_str(),
            &key,
            faults,
        );
        for (index, one) in set.subrepos.iter().enumerate() {
            if set.subrepos[..index].contains(one) {
                let fault = Fault::new(format!("`{one}` stands twice in set `{name}`"));
                faults.push(fault.at(&[key.as_slice(), &["subrepos", &index.to_string()]].concat()));
            }
        }
    }
}

fn repository(one: &RpmRepository, key: &[&str], faults: &mut Vec<Fault>) {
    let name = key.last().copied().unwrap_or_default();
    let what = match (&one.base_uri, &one.metalink) {
        (Some(_), Some(_)) => Some("both `base-uri` and `metalink`"),
        (None, None) => Some("neither `base-uri` nor `metalink`"),
        _ => None,
    };
    if let Some(what) = what {
        faults.push(
            Fault::new(format!("repository `{name}` has {what}"))
                .at(key)
                .help("give it exactly one address"),
        );
    }
    if let Some(kind) = one
        .kind
        .as_deref()
        .filter(|kind| !kind.is_empty() && *kind != RPM_MD)
    {
        let fault =
            Fault::new(format!("repositories of type `{kind}` are not known")).at(&[key, &["type"]].concat());
        faults.push(fault.help(format!("the one type is `{RPM_MD}`, and the default")));
    }
    for (part, value) in [("base-uri", &one.base_uri), ("metalink", &one.metalink)] {
        if let Some(value) = value {
            address(part, value, key, faults);
        }
    }
    signature(
        one.gpg_key.is_some(),
        one.disable_gpg_check,
        "repository",
        name,
        key,
        faults,
    );
}

fn address(part: &str, value: &str, key: &[&str], faults: &mut Vec<Fault>) {
    // A repository on this machine has an address too: tests and mirrors on a disk use it.
    if Url::new(value).is_err() && !value.starts_with("file:///") {
        let fault = Fault::new(format!("`{value}` is not a web address")).at(&[key, &[part]].concat());
        faults.push(fault.help("expected an address that starts with https:// or http://"));
    }
}

fn signature(
    has_key: bool,
    disabled: Option<bool>,
    what: &str,
    name: &str,
    key: &[&str],
    faults: &mut Vec<Fault>,
) {
    if !has_key && disabled != Some(true) {
        let fault = Fault::new(format!("{what} `{name}` has no `gpg-key`")).at(key);
        faults.push(fault.help("name the key of its packages, or say `disable-gpg-check = true`"));
    }
}

//! The environment of a native program: the same on every seller.

use super::super::environment::FIXED;
use std::collections::BTreeMap;

/// Where programs are looked for.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// Variables in the order of their names; `own` wins. `home` and `temporary` are directories as the program sees them.
pub(super) fn variables(
    home: &str,
    temporary: &str,
    cores: usize,
    own: &[(String, String)],
) -> Vec<(String, String)> {
    let here = [
        ("COMPUP2P_NCPUS", cores.to_string()),
        ("HOME", home.to_owned()),
        ("PATH", PATH.to_owned()),
        ("TMPDIR", temporary.to_owned()),
    ];
    let fixed = FIXED.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let here = here.into_iter().map(|(name, value)| (name.to_owned(), value));
    let all: BTreeMap<String, String> = fixed.chain(here).chain(own.iter().cloned()).collect();
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seller_gives_the_same_variables_and_those_of_the_sub_task_win() {
        let own = [("TZ".to_owned(), "Asia/Tokyo".to_owned()), ("N".to_owned(), "7".to_owned())];
        let all = variables("/work", "/tmp", 1, &own);
        let shown: Vec<String> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = [
            "COMPUP2P_NCPUS=1",
            "HOME=/work",
            "LC_ALL=C.UTF-8",
            "N=7",
            &format!("PATH={PATH}"),
            "SOURCE_DATE_EPOCH=1767225600",
            "TMPDIR=/tmp",
            "TZ=Asia/Tokyo",
        ];
        assert_eq!(shown, expected);
    }
}

//! Elements that are right with texts that are wrong: all faults, word for word.

use super::{check_faults as check, with};

#[test]
fn values_that_make_no_sense_say_what_was_expected() {
    check(with, VALUES);
}

const VALUES: &str = r#"
> <Work>-1</Work>
t.xml:2:7: `-1` is not a value for `Work`: expected an amount of work more than 0, such as 15
> <Work unit='cycles'>0</Work>
t.xml:2:21: `0` is not a value for `Work`: expected an amount of work more than 0, such as 15
> <Work>18446744074</Work>
t.xml:2:7: `18446744074` is too large or too exact for `Work`: expected at most 18446744073709551615 cycles
> <CheckPointDataSize>ten</CheckPointDataSize>
t.xml:2:21: `ten` is not a value for `CheckPointDataSize`: expected a size, such as 256MiB, 1.5GB, 64k or 4096
> <Limits><WallTime>5 minutes</WallTime></Limits>
t.xml:2:19: `5 minutes` is not a value for `WallTime`: expected a duration more than 0, such as 5m, 1h 30m, 500ms or 90 (seconds)
> <Limits><WallTime>0</WallTime><Memory>0</Memory><Disk>lots</Disk><Output>-1</Output></Limits>
t.xml:2:19: `0` is not a value for `WallTime`: expected a duration more than 0, such as 5m, 1h 30m, 500ms or 90 (seconds)
t.xml:2:39: `0` is not a value for `Memory`: expected a size more than 0, such as 256MiB, 1.5GB, 64k or 4096
t.xml:2:55: `lots` is not a value for `Disk`: expected a size more than 0, such as 256MiB, 1.5GB, 64k or 4096
t.xml:2:74: `-1` is not a value for `Output`: expected a size more than 0, such as 256MiB, 1.5GB, 64k or 4096
> <Limits><WallTime>999999999d</WallTime><Memory>16777216TiB</Memory><Network>no</Network></Limits>
t.xml:2:19: `999999999d` is too large or too exact for `WallTime`: expected at most 18446744073709.551615 seconds
t.xml:2:48: `16777216TiB` is too large or too exact for `Memory`: expected at most 18446744073709551615 bytes
t.xml:2:77: `no` is not a value for `Network`: expected `false`, as there is none
> <Requirements><OS>GNU Linux</OS><Arch/><MinCores>0</MinCores><MinMemory>1 GIB</MinMemory><MinDisk>1.</MinDisk></Requirements>
t.xml:2:19: `GNU Linux` is not a value for `OS`: expected a word of at most 64 letters, digits, `_`, `.` and `-`
t.xml:2:33: the empty text is not a value for `Arch`: expected a word of at most 64 letters, digits, `_`, `.` and `-`
t.xml:2:50: `0` is not a value for `MinCores`: expected a whole number of cores, at least 1
t.xml:2:73: `1 GIB` is not a value for `MinMemory`: expected a size, such as 256MiB, 1.5GB, 64k or 4096
t.xml:2:99: `1.` is not a value for `MinDisk`: expected a size, such as 256MiB, 1.5GB, 64k or 4096
> <Requirements><MinReputation>1.001</MinReputation></Requirements>
t.xml:2:30: `1.001` is not a value for `MinReputation`: expected a reputation from 0 to 1 with at most three decimals, such as 0.75
> <Requirements><MinReputation>0.7501</MinReputation></Requirements>
t.xml:2:30: `0.7501` is not a value for `MinReputation`: expected a reputation from 0 to 1 with at most three decimals, such as 0.75
> <Requirements><MinCores>4294967296</MinCores></Requirements>
t.xml:2:25: `4294967296` is too large or too exact for `MinCores`: expected at most 4294967295
> <Retry max='-1'/>
t.xml:2:13: `-1` is not a value for `max`: expected a whole number, such as 2
> <Retry max='4294967296'/>
t.xml:2:13: `4294967296` is too large or too exact for `max`: expected at most 4294967295
> <InputParameters><Count>two</Count></InputParameters>
t.xml:2:25: `two` is not a value for `Count`: expected a whole number, such as 2
> <Environment><Var name='1a'>x</Var><Var name='COMPUP2P_TASK_ID'>x</Var><Var name='A'/><Var name='A'/></Environment>
t.xml:2:25: `1a` is not a value for `name`: expected a name of at most 64 letters, digits and `_` that does not begin with a digit
t.xml:2:47: `COMPUP2P_TASK_ID` cannot be set: names that begin with `COMPUP2P_` are set by the seller's node
t.xml:2:98: the variable `A` is defined twice
"#;

#[test]
fn paths_stay_where_they_belong_and_do_not_collide() {
    check(with, PATHS);
}

const PATHS: &str = r#"
> <InputFiles><InputFile>/</InputFile><InputFile as='x/../y'>b</InputFile><InputFile>..</InputFile></InputFiles>
t.xml:2:24: `/` is not a path for `InputFile`: it names a folder; expected a file
t.xml:2:52: `x/../y` is not a path for `as`: it contains `..`; expected a path that stays inside, such as out/result.txt
t.xml:2:84: `..` is not a path for `InputFile`: it names a folder; expected a file
> <InputFiles><InputFile>x/b</InputFile><InputFile>y/b</InputFile><InputFile>a</InputFile><InputFile as='b/c'>d</InputFile></InputFiles>
t.xml:2:50: in the scratch directory of sub-task `1`, two files are called `b`
t.xml:2:76: in the scratch directory of sub-task `1`, two files are called `a`
t.xml:2:104: in the scratch directory of sub-task `1`, `b/c` and `b` cannot both be files: one is the folder of the other
> <OutputFiles><OutputFile>/etc/passwd</OutputFile><OutputFile>../x</OutputFile><OutputFile>c\d</OutputFile><OutputFile/></OutputFiles>
t.xml:2:26: `/etc/passwd` is not a path for `OutputFile`: it begins with `/`; expected a relative path such as out/result.txt
t.xml:2:62: `../x` is not a path for `OutputFile`: it contains `..`; expected a path that stays inside, such as out/result.txt
t.xml:2:91: `c\d` is not a path for `OutputFile`: it contains a backslash; folders are separated by `/`
t.xml:2:107: the empty text is not a path for `OutputFile`: it is empty
> <OutputFiles><OutputFile as='/x'>b</OutputFile><OutputFile as='x/..'>c</OutputFile><OutputFile as='x/'>d</OutputFile></OutputFiles>
t.xml:2:30: `/x` is not a path for `as`: it begins with `/`; expected a relative path such as out/result.txt
t.xml:2:64: `x/..` is not a path for `as`: it contains `..`; expected a path that stays inside, such as out/result.txt
t.xml:2:100: `x/` is not a path for `as`: it names a folder; expected a file
> <OutputFiles><OutputFile>b</OutputFile><OutputFile as='c'>./b</OutputFile></OutputFiles>
t.xml:2:59: in the scratch directory of sub-task `1`, two files are called `b`
> <OutputFiles><OutputFile as='x'>b</OutputFile><OutputFile as='x'>c</OutputFile></OutputFiles>
t.xml:2:63: the sub-task `1` would write the result `x` twice
> <StdOut>log</StdOut><StdErr>log</StdErr>
t.xml:2:29: the sub-task `1` would write the result `log` twice
> <StdOut>log</StdOut><StdErr>./log/err</StdErr>
t.xml:2:29: the results `log/err` of sub-task `1` and `log` of `1` cannot both be files: one is the folder of the other
> <StdIn/><StdOut>/dev/null</StdOut><StdErr>\n..</StdErr>
t.xml:2:1: the empty text is not a path for `StdIn`: it is empty
t.xml:2:17: `/dev/null` is not a path for `StdOut`: it begins with `/`; expected a relative path such as out/result.txt
t.xml:3:1: `..` is not a path for `StdErr`: it contains `..`; expected a path that stays inside, such as out/result.txt
> </SubTask><SubTask name='b'><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File><StdOut>x</StdOut></SubTask><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File><OutputFiles><OutputFile as='x'>y</OutputFile></OutputFiles>
t.xml:2:203: the sub-tasks `b` and `3` would both write the result `x`
> <StdOut>x</StdOut><InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='i' from='1' to='5'/></Sweep>
t.xml:2:9: the sub-tasks `1[1]` and `1[2]` would both write the result `x`
"#;

#[test]
fn variables_have_to_be_defined() {
    check(with, VARIABLES);
}

const VARIABLES: &str = r#"
> <InputParameters><Param>${seed}</Param></InputParameters>
t.xml:2:25: the variable `seed` is not defined. Define it in the `Sweep` of this sub-task or by `--set seed=…`, or write `$${seed}` for the plain text
> <InputParameters><Param>${seed}</Param></InputParameters>
+ Seed=1
t.xml:2:25: the variable `seed` is not defined; did you mean `Seed`? Define it in the `Sweep` of this sub-task or by `--set seed=…`, or write `$${seed}` for the plain text
> <InputParameters><Param>x${a}y${b}</Param></InputParameters>
t.xml:2:25: the variable `a` is not defined. Define it in the `Sweep` of this sub-task or by `--set a=…`, or write `$${a}` for the plain text
t.xml:2:25: the variable `b` is not defined. Define it in the `Sweep` of this sub-task or by `--set b=…`, or write `$${b}` for the plain text
> <InputParameters><Param>${a b}</Param></InputParameters>
t.xml:2:25: `${a b}` is not a variable: expected `${name}`, or `$${` for the plain text
> <InputParameters><Param>${}</Param></InputParameters>
t.xml:2:25: `${}` is not a variable: expected `${name}`, or `$${` for the plain text
> <InputParameters><Param>ab${seed</Param></InputParameters>
t.xml:2:25: `${seed` is not a variable: expected `${name}`, or `$${` for the plain text
> <InputParameters><Param>$${a}${${a}}</Param></InputParameters>
t.xml:2:25: `${${a}` is not a variable: expected `${name}`, or `$${` for the plain text
> <Retry max='${n}'/>
t.xml:2:13: the variable `n` is not defined. Define it in the `Sweep` of this sub-task or by `--set n=…`, or write `$${n}` for the plain text
> <Retry max='${n}'/>
+ n=many
t.xml:2:13: `many` is not a value for `max`: expected a whole number, such as 2
> <OutputFiles><OutputFile as='${d}/x'>b</OutputFile></OutputFiles>
+ d=..
t.xml:2:30: `../x` is not a path for `as`: it contains `..`; expected a path that stays inside, such as out/result.txt
> <InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='j' from='1' to='2'/></Sweep>
t.xml:2:25: the variable `i` is not defined. Define it in the `Sweep` of this sub-task or by `--set i=…`, or write `$${i}` for the plain text
> <InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='i' from='1' to='2'/></Sweep>
+ i=3
t.xml:2:73: the variable `i` is set by `--set` and by the sweep
> <InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='i' from='1' to='2'/><Var name='i'><Value>1</Value></Var></Sweep>
t.xml:2:104: the variable `i` is defined twice
> <InputParameters><Param>x</Param></InputParameters>
+ a b=3
+ c=\0
--set: `a b` is not a value for `--set`: expected a name of at most 64 letters, digits and `_` that does not begin with a digit
--set: ` ` is not a value for `--set`: expected a text without the character U+0000
> <InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='i' from='${i}' to='2'/></Sweep>
t.xml:2:82: the variable `i` is not defined. Define it in the `Sweep` of this sub-task or by `--set i=…`, or write `$${i}` for the plain text
"#;

#[test]
fn sweeps_have_to_end_and_to_fit() {
    check(with, SWEEPS);
}

const SWEEPS: &str = r#"
> <Sweep/>
t.xml:2:1: `Sweep` has no `Var`: it needs one
> <Sweep mode='each'><Var name='i' from='1' to='2'/></Sweep>
t.xml:2:14: `each` is not a value for `mode`: expected `product` or `zip`
> <Sweep><Var from='1' to='2'/></Sweep>
t.xml:2:8: `Var` has no attribute `name`: it needs one
> <Sweep><Var name='1' from='1' to='2'/></Sweep>
t.xml:2:19: `1` is not a value for `name`: expected a name of at most 64 letters, digits and `_` that does not begin with a digit
> <InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='i'/></Sweep>
t.xml:2:62: `i` needs either `Value` elements, or the attributes `from` and `to`, or `each-line`, and has none
> <InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='i' from='1' to='2'><Value>1</Value></Var></Sweep>
t.xml:2:62: `i` needs either `Value` elements, or the attributes `from` and `to`, or `each-line`, and has more than one of them
> <InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='i' from='1'/></Sweep>
t.xml:2:62: `Var` has no attribute `to`: it needs one
> <InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='i' step='1'/></Sweep>
t.xml:2:62: `Var` has no attribute `from`: it needs one
t.xml:2:62: `Var` has no attribute `to`: it needs one
> <InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='i' from='1' to='2' step='0'/></Sweep>
t.xml:2:62: from 1 to 2 is not reached in steps of 0
> <InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='i' from='2' to='1.5'/></Sweep>
t.xml:2:62: from 2 to 1.5 is not reached in steps of 1
> <InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='i' from='a' to='1e9' step='.5'/></Sweep>
t.xml:2:82: `a` is not a value for `from`: expected a decimal number, such as 3, -1 or 0.25
t.xml:2:89: `1e9` is not a value for `to`: expected a decimal number, such as 3, -1 or 0.25
t.xml:2:100: `.5` is not a value for `step`: expected a decimal number, such as 3, -1 or 0.25
> <InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='i' from='0' to='123456789012345678901'/></Sweep>
t.xml:2:89: `123456789012345678901` is too large or too exact for `to`: expected at most 20 digits before the point and 18 after it
> <InputParameters><Param>${i}${j}</Param></InputParameters><Sweep mode='zip'><Var name='i' from='1' to='3'/><Var name='j' from='1' to='2'/></Sweep>
t.xml:2:59: a sweep of mode `zip` needs variables of one length: `i` has 3, `j` has 2
> <InputParameters><Param>${i}</Param></InputParameters><Work>${i}</Work><Sweep><Var name='i' from='1' to='-5' step='-1'/></Sweep>
t.xml:2:61: `0` is not a value for `Work`: expected an amount of work more than 0, such as 15
> <InputParameters><Param>${i}</Param></InputParameters><Sweep><Var name='i' from='x' to='2'/></Sweep><Work>0</Work><StdOut>${i}</StdOut><StdErr>${i}</StdErr><Retry max='${i}'/>
t.xml:2:82: `x` is not a value for `from`: expected a decimal number, such as 3, -1 or 0.25
t.xml:2:107: `0` is not a value for `Work`: expected an amount of work more than 0, such as 15
> <Sweep><Value>1</Value></Sweep>
t.xml:2:1: `Sweep` has no `Var`: it needs one
t.xml:2:8: `Value` is not an element of `Sweep`; it belongs in `Var`; allowed: `Var`
> <InputParameters><Param>${v}</Param></InputParameters><Sweep><Var name='v' from='1' to='1'/><Var name='v0' from='1' to='1'/><Var name='v1' from='1' to='1'/><Var name='v2' from='1' to='1'/><Var name='v3' from='1' to='1'/><Var name='v4' from='1' to='1'/><Var name='v5' from='1' to='1'/><Var name='v6' from='1' to='1'/><Var name='v7' from='1' to='1'/><Var name='v8' from='1' to='1'/><Var name='v9' from='1' to='1'/><Var name='v10' from='1' to='1'/><Var name='v11' from='1' to='1'/><Var name='v12' from='1' to='1'/><Var name='v13' from='1' to='1'/><Var name='v14' from='1' to='1'/><Var name='v15' from='1' to='1'/></Sweep>
t.xml:2:578: more than 16 `Var` in one `Sweep`
"#;

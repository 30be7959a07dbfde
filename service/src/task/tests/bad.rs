//! Files that are not task files, and elements that are not what they should be: all faults, word for word.

use super::{check_faults as check, with};

#[test]
fn the_frame_of_a_file_is_checked() {
    check(str::to_owned, FRAME);
}

const FRAME: &str = r#"
> <TaskFile/>
t.xml:1:1: there is no `SubTask`: a task file describes at least one
> <TaskFile>\n<Name>a</Name>\n</TaskFile>
t.xml:1:1: there is no `SubTask`: a task file describes at least one
> <TaskFile version='2'><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:20: `2` is not a value for `version`: expected `1`, the only version so far
> <TaskFile Version='1'><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:11: `Version` is not an attribute of `TaskFile`; did you mean `version`? Allowed: `version`
> <TaskFile x:a='1' xmlns:x='u'><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:11: `a` is not an attribute of `TaskFile`; allowed: `version`
> <TaskFile>\n<SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask><Budget>9</Budget><Name>a</Name></TaskFile>
t.xml:2:74: `Budget` must stand before the first `SubTask`
t.xml:2:92: `Name` must stand before the first `SubTask`
> <TaskFile><Name>a</Name><Name>b</Name><Name>c</Name><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:25: `TaskFile` already has a `Name`: one is allowed
t.xml:1:39: `TaskFile` already has a `Name`: one is allowed
> <TaskFile><Name> </Name><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:11: the empty text is not a value for `Name`: expected a name of one line
> <TaskFile><Name>a\nb</Name><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:17: `a b` is not a value for `Name`: expected a name of one line
> <TaskFile><Name>${x}</Name><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:17: the variable `x` is not defined. Define it in the `Sweep` of this sub-task or by `--set x=…`, or write `$${x}` for the plain text
> <TaskFile><Budget>-1</Budget><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:19: `-1` is not a value for `Budget`: expected credits with at most six decimals, such as 12 or 0.25
> <TaskFile><Budget>18446744073709.551616</Budget><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:19: `18446744073709.551616` is too large or too exact for `Budget`: expected at most 18446744073709.551615 credits
> <TaskFile>\n <Budget>3.5</Budget><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:2:2: the prices of all sub-tasks add up to 4 credits, more than the budget of 3.5
> <TaskFile><SubTask><CpuCycles>1</CpuCycles><Price>18446744073709</Price><File>a</File></SubTask><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:1: the prices of all sub-tasks add up to more than 18446744073709.551615 credits
> <TaskFile><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask> and\n<SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:85: the text `and` is not expected in `TaskFile`; allowed: `Name`, `Budget`, `StopWhen`, `SubTask`
> <TaskFile><Task/><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:11: `Task` is not an element of `TaskFile`; allowed: `Name`, `Budget`, `StopWhen`, `SubTask`
> <TaskFile><Price>1</Price><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:11: `Price` is not an element of `TaskFile`; it belongs in `SubTask`; allowed: `Name`, `Budget`, `StopWhen`, `SubTask`
> <TaskFile xmlns:x='u'><x:SubTask/><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:23: `SubTask` is in the namespace `u`: the elements of a task file are in none
> <TaskFile><SubTask name='a b'><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:26: `a b` is not a value for `name`: expected a word of at most 64 letters, digits, `_`, `.` and `-`
> <TaskFile><SubTask name=''><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:26: the empty text is not a value for `name`: expected a word of at most 64 letters, digits, `_`, `.` and `-`
> <TaskFile><SubTask name='2'><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask><SubTask><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:93: the sub-task name `2` is already taken by sub-task 1 of the file
> <TaskFile><SubTask name='a'><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask><SubTask name='a'><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask><SubTask name='a'><CpuCycles>1</CpuCycles><Price>2</Price><File>a</File></SubTask></TaskFile>
t.xml:1:108: the sub-task name `a` is already taken by sub-task 1 of the file
t.xml:1:190: the sub-task name `a` is already taken by sub-task 1 of the file
"#;

#[test]
fn what_a_sub_task_needs_has_to_be_there() {
    check(str::to_owned, NEEDS);
}

const NEEDS: &str = r#"
> <TaskFile><SubTask/></TaskFile>
t.xml:1:11: `SubTask` has no `CpuCycles`: it needs one
t.xml:1:11: `SubTask` has no `Price`: it needs one
t.xml:1:11: `SubTask` has no `File`: it needs one
> <TaskFile>\n<SubTask><CpuCycles/><Price/><File/></SubTask></TaskFile>
t.xml:2:10: the empty text is not a value for `CpuCycles`: expected a compute power more than 0, such as 1000
t.xml:2:22: the empty text is not a value for `Price`: expected credits, more than 0, with at most six decimals, such as 12 or 0.25
t.xml:2:30: the empty text is not a path for `File`: it is empty
> <TaskFile>\n<SubTask><CpuCycles>0</CpuCycles><Price>0</Price><File>a/</File></SubTask></TaskFile>
t.xml:2:21: `0` is not a value for `CpuCycles`: expected a compute power more than 0, such as 1000
t.xml:2:41: a price must be more than 0 credits
t.xml:2:56: `a/` is not a path for `File`: it names a folder; expected a file
> <TaskFile>\n<SubTask><CpuCycles>-5</CpuCycles><Price>-5</Price><File>a\b</File></SubTask></TaskFile>
t.xml:2:21: `-5` is not a value for `CpuCycles`: expected a compute power more than 0, such as 1000
t.xml:2:42: `-5` is not a value for `Price`: expected credits, more than 0, with at most six decimals, such as 12 or 0.25
t.xml:2:58: `a\b` is not a path for `File`: it contains a backslash; folders are separated by `/`
> <TaskFile>\n<SubTask><CpuCycles>1e3</CpuCycles><Price>0.0000001</Price><File as='/a'>b</File></SubTask></TaskFile>
t.xml:2:21: `1e3` is not a value for `CpuCycles`: expected a compute power more than 0, such as 1000
t.xml:2:43: `0.0000001` is not a value for `Price`: expected credits, more than 0, with at most six decimals, such as 12 or 0.25
t.xml:2:70: `/a` is not a path for `as`: it begins with `/`; expected a relative path such as out/result.txt
> <TaskFile>\n<SubTask><CpuCycles>18446744073709551616</CpuCycles><Price>1e400</Price><File as='../a'>b</File></SubTask></TaskFile>
t.xml:2:21: `18446744073709551616` is too large or too exact for `CpuCycles`: expected at most 18446744073709551615 Mc/s
t.xml:2:60: `1e400` is not a value for `Price`: expected credits, more than 0, with at most six decimals, such as 12 or 0.25
t.xml:2:83: `../a` is not a path for `as`: it contains `..`; expected a path that stays inside, such as out/result.txt
> <TaskFile>\n<SubTask><CpuCycles unit='Gcycles'>18446744073709552</CpuCycles><Price>99999999999999999999999</Price><File as=''>b</File></SubTask></TaskFile>
t.xml:2:36: `18446744073709552` is too large or too exact for `CpuCycles`: expected at most 18446744073709551615 Mc/s
t.xml:2:72: `99999999999999999999999` is too large or too exact for `Price`: expected at most 18446744073709.551615 credits
t.xml:2:113: the empty text is not a path for `as`: it is empty
> <TaskFile>\n<SubTask><CpuCycles unit='GHz'>1</CpuCycles><Price unit='EUR'>1</Price><File sha256='0' search='yes'>b</File></SubTask></TaskFile>
t.xml:2:27: `GHz` is not a value for `unit`: expected `cycles`, `Mcycles` or `Gcycles`
t.xml:2:52: `unit` is not an attribute of `Price`; allowed: none
t.xml:2:86: `0` is not a value for `sha256`: expected 64 digits from 0 to 9 and a to f, as `sha256sum` prints them
t.xml:2:97: `yes` is not a value for `search`: expected `true` or `false`
"#;

#[test]
fn unknown_elements_and_attributes_come_with_a_suggestion() {
    check(with, UNKNOWN);
}

const UNKNOWN: &str = r#"
> <Prise>1</Prise>
t.xml:2:1: `Prise` is not an element of `SubTask`; did you mean `Price`? Allowed: [all]
>   <price>1</price>
t.xml:2:3: `price` is not an element of `SubTask`; did you mean `Price`? Allowed: [all]
> <WallTime>5m</WallTime>
t.xml:2:1: `WallTime` is not an element of `SubTask`; it belongs in `Limits`; allowed: [all]
> <Param>x</Param>
t.xml:2:1: `Param` is not an element of `SubTask`; it belongs in `InputParameters`; allowed: [all]
> <Zebra><Price/></Zebra>
t.xml:2:1: `Zebra` is not an element of `SubTask`; allowed: [all]
> <Price>2</Price>
t.xml:2:1: `SubTask` already has a `Price`: one is allowed
> <Limits/><Limits/><Limits/>
t.xml:2:10: `SubTask` already has a `Limits`: one is allowed
t.xml:2:19: `SubTask` already has a `Limits`: one is allowed
> <Limits><Wall-Time>5m</Wall-Time></Limits>
t.xml:2:9: `Wall-Time` is not an element of `Limits`; did you mean `WallTime`? Allowed: `WallTime`, `CpuTime`, `Memory`, `Disk`, `Output`, `Processes`, `Network`
> <InputFiles><OutputFile>a</OutputFile></InputFiles>
t.xml:2:13: `OutputFile` is not an element of `InputFiles`; did you mean `InputFile`? Allowed: `Count`, `InputFile`
> <Retry maximum='1'/>
t.xml:2:8: `maximum` is not an attribute of `Retry`; allowed: `max`, `successExitCode`, `backoff`
> <Retry Max='1'/>
t.xml:2:8: `Max` is not an attribute of `Retry`; did you mean `max`? Allowed: `max`, `successExitCode`, `backoff`
> <Retry>1</Retry>
t.xml:2:8: the text `1` is not expected in `Retry`; allowed: none
> <Retry><Max/></Retry>
t.xml:2:8: `Max` is not an element of `Retry`; allowed: none
> <StdIn as='x'>b</StdIn>
t.xml:2:8: `as` is not an attribute of `StdIn`; allowed: `from`
> <StdOut><b>x</b></StdOut>
t.xml:2:1: the empty text is not a path for `StdOut`: it is empty
t.xml:2:9: `b` is not an element of `StdOut`; allowed: none
> words\n
t.xml:2:1: the text `words` is not expected in `SubTask`; allowed: [all]
> <Limits><![CDATA[x]]></Limits>
t.xml:2:9: the text `x` is not expected in `Limits`; allowed: `WallTime`, `CpuTime`, `Memory`, `Disk`, `Output`, `Processes`, `Network`
> <Environment><Var>x</Var></Environment>
t.xml:2:14: `Var` has no attribute `name`: it needs one
> <Limits xml:lang='en'/>
t.xml:2:9: `lang` is not an attribute of `Limits`; allowed: none
> <xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/>
t.xml:2:1: `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…` is not an element of `SubTask`; allowed: [all]
"#;

#[test]
fn what_is_not_offered_and_what_no_machine_can_be_asked_for_is_named() {
    check(with, RESERVED);
}

const RESERVED: &str = r#"
> <Limits><Network>true</Network></Limits>
t.xml:2:18: network access is not offered by this version
> <Limits><Network>1</Network></Limits>
t.xml:2:18: network access is not offered by this version
> <Limits><Network>maybe</Network></Limits>
t.xml:2:18: `maybe` is not a value for `Network`: expected `false`, as there is none
> <Requirements><OSVersion>6.1-rc1</OSVersion></Requirements>
t.xml:2:26: `6.1-rc1` is not a value for `OSVersion`: expected one to four numbers with dots between them, such as 6.1
> <Requirements><OSVersion>0.0</OSVersion></Requirements>
t.xml:2:26: `0.0` is not a value for `OSVersion`: expected one to four numbers with dots between them, such as 6.1
> <Requirements><OSVersion>6.65536</OSVersion></Requirements>
t.xml:2:26: `6.65536` is not a value for `OSVersion`: expected one to four numbers with dots between them, such as 6.1
> <Requirements><Sandbox>landlock fence</Sandbox></Requirements>
t.xml:2:24: `landlock fence` is not a value for `Sandbox`: expected `required`, or some of `own-user`, `namespaces`, `landlock`, `seccomp` and `cgroups` with spaces between them
"#;

#[test]
fn text_that_is_not_a_document_is_refused_in_words() {
    check(str::to_owned, DOCUMENT);
}

const DOCUMENT: &str = r#"
> 
t.xml:1:1: not well-formed XML: there is no element in the file
>    
t.xml:1:4: not well-formed XML: there is no element in the file
> hello
t.xml:1:1: not well-formed XML: something that is neither an element nor a comment
> <TaskFile>
t.xml:1:11: not well-formed XML: the file ends before every element is closed
> <TaskFile><SubTask></TaskFile>
t.xml:1:20: not well-formed XML: `</TaskFile>` does not close `<SubTask>`, which is still open
> <TaskFile
t.xml:1:1: not well-formed XML: the file ends before what begins here does; is a `>` or a quote missing?
> <TaskFile>\n<SubTask name='a>
t.xml:2:1: not well-formed XML: the file ends before what begins here does; is a `>` or a quote missing?
> <TaskFile><![CDATA[ a</TaskFile>
t.xml:1:11: not well-formed XML: the file ends before what begins here does; is a `>` or a quote missing?
> <TaskFile><?a b</TaskFile>
t.xml:1:11: not well-formed XML: the file ends before what begins here does; is a `>` or a quote missing?
> <TaskFile><Name>a</Name
t.xml:1:18: not well-formed XML: the file ends before what begins here does; is a `>` or a quote missing?
> <TaskFile></TaskFile>x
t.xml:1:22: not well-formed XML: something that is neither an element nor a comment
> <TaskFile/><TaskFile/>
t.xml:1:12: not well-formed XML: something that is neither an element nor a comment
> \n<?xml version='1.0'?><TaskFile/>
t.xml:2:1: not well-formed XML: `<?xml … ?>` may stand only at the very beginning of the file
> <TaskFile>&nbsp;</TaskFile>
t.xml:1:11: not well-formed XML: `&nbsp;` is not defined; write `&amp;` for a plain `&`
> <TaskFile>a & b</TaskFile>
t.xml:1:13: not well-formed XML: `&` begins a reference such as `&lt;`; write `&amp;` for a plain `&`
> <TaskFile>a < b</TaskFile>
t.xml:1:14: not well-formed XML: a name was expected, beginning with a letter; write `&lt;` for a plain `<`
> <TaskFile version='1' version='1'/>
t.xml:1:23: not well-formed XML: the attribute `version` stands twice
> <TaskFile version=1/>
t.xml:1:19: not well-formed XML: a quote was expected, not `1`
> <TaskFile version/>
t.xml:1:18: not well-formed XML: `=` was expected, not `/`
> <TaskFile version='<'/>
t.xml:1:20: not well-formed XML: `'` was expected, not `<`
> <TaskFile>\n<!-- a -- b --></TaskFile>
t.xml:2:1: not well-formed XML: a comment may not contain `--`
> <TaskFile><!-- a </TaskFile>
t.xml:1:11: not well-formed XML: the file ends before what begins here does; is a `>` or a quote missing?
> <TaskFile>]]></TaskFile>
t.xml:1:14: not well-formed XML: `]]>` in a text; write `]]&gt;` for it
> <TaskFile>\0</TaskFile>
t.xml:1:11: not well-formed XML: the character U+0000 is not allowed in XML
> <TaskFile>&#0;</TaskFile>
t.xml:1:11: not well-formed XML: `&` begins a reference such as `&lt;`; write `&amp;` for a plain `&`
> <a:TaskFile/>
t.xml:1:2: not well-formed XML: the prefix `a:` is not declared
> <1/>
t.xml:1:2: not well-formed XML: a name was expected, beginning with a letter; write `&lt;` for a plain `<`
> <TaskFile xmlns:xml='u'/>
t.xml:1:11: not well-formed XML: a namespace declaration or a reference that XML does not allow
> <Tasks/>
t.xml:1:1: the file begins with `Tasks`: a task file begins with `TaskFile`
> <taskfile/>
t.xml:1:1: the file begins with `taskfile`: a task file begins with `TaskFile`
> <TaskFile xmlns='urn:x'/>
t.xml:1:1: `TaskFile` is in the namespace `urn:x`: the elements of a task file are in none
> <t:TaskFile xmlns:t='urn:x'/>
t.xml:1:1: `TaskFile` is in the namespace `urn:x`: the elements of a task file are in none
> <!DOCTYPE TaskFile><TaskFile/>
t.xml:1:1: a document type (`<!DOCTYPE`) is not allowed in a task file, and with it no entities of one's own
> <!-- <!DOCTYPE no> -->\n<!DOCTYPE TaskFile SYSTEM 'http://x/y.dtd'>\n<TaskFile/>
t.xml:2:1: a document type (`<!DOCTYPE`) is not allowed in a task file, and with it no entities of one's own
> <!DOCTYPE t [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]><TaskFile><Name>&c;</Name></TaskFile>
t.xml:1:1: a document type (`<!DOCTYPE`) is not allowed in a task file, and with it no entities of one's own
> <!DOCTYPE t [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><TaskFile><Name>&a;</Name></TaskFile>
t.xml:1:1: a document type (`<!DOCTYPE`) is not allowed in a task file, and with it no entities of one's own
> <TaskFile>&a;<!DOCTYPE t [<!ENTITY a 'x'>]></TaskFile>
t.xml:1:14: a document type (`<!DOCTYPE`) is not allowed in a task file, and with it no entities of one's own
"#;

//! Files that are used by several tests.

/// Fig. 7 of the paper.
pub(super) const FIG_7: &str = r#"<?xml version="1.0" ?>
<TaskFile>
  <SubTask>
    <CpuCycles>1000</CpuCycles>
    <CheckPointDataSize>0</CheckPointDataSize>
    <Price>234</Price>
    <File>job.exe</File>
    <InputParameters>
      <Count>2</Count>
      <Param>3</Param>
      <Param>4</Param>
    </InputParameters>
    <OutputFiles>
      <Count>1</Count>
      <OutputFile>joboutput.out</OutputFile>
    </OutputFiles>
  </SubTask>
</TaskFile>
"#;

/// A file that uses everything there is.
pub(super) const RICH: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- An animation, its frames drawn by many sellers. -->
<TaskFile version="1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
          xsi:noNamespaceSchemaLocation="task.xsd">
  <Budget>600.5</Budget>
  <Name>orbit &amp; moon</Name>
  <SubTask name="frame">
    <Sweep mode="zip">
      <Var name="i" from="0" to="${last}" step="1"/>
      <Var name="clock" from="0" to="0.95" step="0.0413"/>
    </Sweep>
    <Limits>
      <WallTime>1h 30m</WallTime><Memory>256MiB</Memory><Disk>1.5GB</Disk><Output>64k</Output>
      <Network>false</Network>
    </Limits>
    <Price>12.25</Price>
    <CpuCycles unit="Gcycles">1.5</CpuCycles>
    <Work>15</Work>
    <File as="bin/povray">/usr/bin/povray</File>
    <InputParameters>
      <Param>+Iscene.pov</Param>
      <Param>+K${clock}</Param>
      <Count>4</Count>
      <Param> two words </Param>
      <Param/>
    </InputParameters>
    <InputFiles><InputFile>scenes/scene.pov</InputFile><InputFile as="m/map.png">../map_${i}.png</InputFile></InputFiles>
    <OutputFiles><OutputFile as="frames/${i}.bmp">frame.bmp</OutputFile></OutputFiles>
    <StdIn>answers.txt</StdIn>
    <StdOut>log/${i}.out</StdOut>
    <StdErr>./log//${i}.err</StdErr>
    <Environment><Var name="QUALITY">${quality}</Var><Var name="EMPTY"/></Environment>
    <Requirements>
      <Arch>X86_64</Arch><OS>Linux</OS><MinCores>2</MinCores><MinMemory>1GiB</MinMemory><MinDisk>0</MinDisk>
      <MinReputation>0.75</MinReputation>
    </Requirements>
    <Retry max="5"/>
  </SubTask>
  <SubTask>
    <CpuCycles>3000</CpuCycles><Price>5</Price><File>encode.wasm</File>
    <InputParameters><Param><![CDATA[a<b && $${HOME} $HOME]]></Param></InputParameters>
  </SubTask>
</TaskFile>
"#;

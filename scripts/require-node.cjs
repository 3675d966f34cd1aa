// Plain CommonJS in old syntax, so that an old Node can run it and say what is wrong.
var need = [20, 19]
var have = process.versions.node.split('.').map(Number)
if (have[0] < need[0] || (have[0] === need[0] && have[1] < need[1])) {
  console.error(
    'Shoal needs Node ' +
      need.join('.') +
      ' or newer; this is ' +
      process.versions.node +
      '. Install a current LTS release and run the command again.',
  )
  process.exit(1)
}

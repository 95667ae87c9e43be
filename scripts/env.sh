# Sourced by the other scripts: the locked Node 26 and pnpm first on PATH.
toolchain=${BASH_SOURCE[0]%/*}/toolchain
toolchain=$(cd "$toolchain" && pwd)
case $(uname -m) in aarch64 | arm64) node_arch=arm64 ;; *) node_arch=x64 ;; esac
export LONGSHORE_NODE_HOME=$toolchain/node_modules/node-linux-$node_arch
export PATH=$LONGSHORE_NODE_HOME/bin:$toolchain/node_modules/@pnpm/exe.linux-$node_arch:$toolchain/../../node_modules/.bin:$toolchain/node_modules/.bin:$PATH
export TURBO_TELEMETRY_DISABLED=1

#!/usr/bin/env bash
# Imports point one way (docs/architecture.md). For each layer, the packages of this module that it may depend
# on, tests aside, directly or through others; anything else fails. A name covers the packages below it too, a
# name that ends in "=" only the package itself.
set -euo pipefail
cd "$(dirname "$0")/.."

module=$(go list -m)
failed=0

# allow LAYER ALLOWED...
allow() { check "$1" "" "$@"; }

# check PATH WITHOUT LAYER ALLOWED...: the layer that lies below the path, but for the packages below WITHOUT,
# which nothing else of it may import either.
check() {
	local path=$1 without=$2 layer=$3 packages deps dep name ok
	shift 3
	packages=$(go list "./$path/...")
	[[ -z $without ]] || packages=$(grep -v "^$module/$without\(/\|\$\)" <<<"$packages")
	deps=$(go list -deps -test=false $packages)
	for dep in $deps; do
		[[ $dep == "$module" || $dep == "$module"/* ]] || continue
		dep=${dep#"$module"/}
		ok=no
		if [[ -n $without && ($dep == "$without" || $dep == "$without"/*) ]]; then
			echo "$layer must not depend on $dep, which only cmd may; who imports it:" >&2
			importers "$layer" "$dep" >&2
			failed=1
			continue
		fi
		for name in "$layer" "$@"; do
			if [[ $name == *= ]]; then
				[[ $dep == "${name%=}" ]] && ok=yes
			else
				[[ $dep == "$name" || $dep == "$name"/* ]] && ok=yes
			fi
		done
		if [[ $ok == no ]]; then
			echo "$layer must not depend on $dep; who imports it:" >&2
			importers "$layer" "$dep" >&2
			failed=1
		fi
	done
}

# importers LAYER PACKAGE: the packages in the layer's dependencies that import the package directly.
importers() {
	local path imports
	while read -r path imports; do
		[[ " $imports " == *" $module/$2 "* ]] && echo "    $path"
	done < <(go list -deps -f '{{.ImportPath}} {{join .Imports " "}}' "./$1/...")
	return 0
}

# Kernels know operators by name and tensors as views, nothing else.
allow kernels
# The language knows no tensors at run time; of the kernels it knows the names of number formats.
allow dsl kernels/dtype=
# The compiler reads the language and writes plans. It runs nothing, but for what checks its work: compiler/verify
# executes graphs on the reference kernels, and nothing else of the compiler may know of it.
check compiler compiler/verify compiler dsl kernels/dtype=
allow compiler/verify compiler dsl kernels= kernels/panel= kernels/ref= kernels/dtype=
# The runtime reads plans: the file format, the graphs in it, the checkers of layouts and schedules. It never sees a pass or a
# model's source. Patterns of tensor names are shared with the language.
allow runtime kernels compiler/plan compiler/ir= compiler/memory= compiler/ordered= compiler/race= compiler/schedule= dsl/builtin= dsl/pattern=

exit $failed

# The man page, read by both families of formatters.
# Sourced by `run`, which gives `check`, `silent` and `have`.

check "mandoc is here" have mandoc mandoc
check "man is here" have man man-db
check "mandoc finds nothing to say" silent mandoc -T lint -W warning docs/calsync.1
# MANROFFSEQ is empty, so that no preprocessor is asked for; -Z stops before a printer's driver.
check "groff finds nothing to say" \
    env MANROFFSEQ= MANWIDTH=100 bash -c '! man --warnings -E UTF-8 -l -Tutf8 -Z docs/calsync.1 2>&1 >/dev/null | grep .'

#include "report/sha256.h"

#include <doctest/doctest.h>

#include <string>

namespace sim::report {
namespace {

// FIPS 180-4's examples (NIST CAVP).
TEST_CASE("SHA-256") {
  CHECK(Sha256::of("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(Sha256::of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 sha;
  for (int i = 0; i < 1'000; ++i) sha.update(std::string(1'000, 'a'));
  CHECK(sha.finish() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

}  // namespace
}  // namespace sim::report

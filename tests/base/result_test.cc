// What loading yields, what the impossible throws, and numbers that do not mix.
#include "base/result.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <unordered_set>

#include "base/check.h"
#include "base/id.h"
#include "base/overloaded.h"
#include "base/time.h"

namespace sim {
namespace {

Problem problem(std::string message, bool warning = false) {
  Problem result;
  result.message = std::move(message);
  result.warning = warning;
  return result;
}

TEST_CASE("a result is a value, or all that is wrong") {
  const Result<int> good = 5;
  CHECK(good.ok());
  CHECK(*good == 5);
  CHECK(good.problems().empty());

  const Result<int> bad = Problems{problem("one"), problem("two", true), problem("three")};
  CHECK_FALSE(bad.ok());
  CHECK(bad.problems().size() == 3);
  CHECK_THROWS_AS(bad.value(), InternalError);

  const Result<int> single = problem("one");
  CHECK_FALSE(static_cast<bool>(single));
}

TEST_CASE("warnings travel with a value, errors do not") {
  const Result<std::string> warned(std::string("v"), Problems{problem("odd", true)});
  CHECK(warned.ok());
  CHECK(warned->size() == 1);
  CHECK(warned.problems().size() == 1);
  using Loaded = Result<int>;
  CHECK_THROWS_AS(static_cast<void>(Loaded(1, Problems{problem("wrong")})), InternalError);
  CHECK_THROWS_AS(static_cast<void>(Loaded(Problems{problem("odd", true)})), InternalError);
  CHECK_THROWS_AS(static_cast<void>(Loaded(Problems{})), InternalError);
}

TEST_CASE("a value that cannot be copied can be moved out") {
  Result<std::unique_ptr<int>> owner = std::make_unique<int>(7);
  const std::unique_ptr<int> moved = std::move(owner).value();
  CHECK(*moved == 7);
}

TEST_CASE("what is impossible throws, and says what, where and why") {
  const int there = 1;
  CHECK_NOTHROW(SIM_CHECK(there == 1, "it is there"));
  std::string said;
  try {
    SIM_CHECK(there == 2, "there is only one");
  } catch (const InternalError& error) {
    said = error.what();
  }
  CHECK(said.find("result_test.cc:") != std::string::npos);
  CHECK(said.find("there is only one") != std::string::npos);
  CHECK(said.find("there == 2") != std::string::npos);
  try {
    check_failed("c", "w", "/somebody/built/it/here/sim/raft/replica.cc", 12);
  } catch (const InternalError& error) {
    said = error.what();
  }
  CHECK(said == "sim/raft/replica.cc:12: w (c)");
}

TEST_CASE("ids and times do not mix") {
  using Offset = Id<struct OffsetTag, std::int64_t>;
  using Epoch = Id<struct EpochTag, std::int32_t>;
  static_assert(!std::is_convertible_v<Offset, Epoch>);
  static_assert(!std::is_constructible_v<Epoch, Offset>);
  static_assert(!std::is_convertible_v<int, Offset>);
  static_assert(!std::is_convertible_v<Instant, LocalTime>);
  static_assert(!std::is_constructible_v<LocalTime, Instant>);
  static_assert(sizeof(Offset) == 8 && std::is_trivially_copyable_v<Offset>);
  CHECK(Offset{4}.next() == Offset{5});
  CHECK(Offset{} == Offset{0});
  CHECK(Offset{4} < Offset{5});
  std::unordered_set<Offset> seen;
  for (std::int64_t i = 0; i < 100; ++i) seen.insert(Offset{i % 50});
  CHECK(seen.size() == 50);

  CHECK(millis(from_millis(1500)) == 1500);
  CHECK(instant_at(2'000'000) - instant_at(500'000) == 1500us);
  CHECK(nanos(local_at(5) + 1us) == 1005);
}

TEST_CASE("a visitor out of lambdas") {
  const auto name = Overloaded{[](int) { return "int"; }, [](const std::string&) { return "string"; }};
  std::variant<int, std::string> v = 1;
  CHECK(std::string(std::visit(name, v)) == "int");
  v = "x";
  CHECK(std::string(std::visit(name, v)) == "string");
}

}  // namespace
}  // namespace sim

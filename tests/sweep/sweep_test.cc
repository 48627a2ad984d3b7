// What a sweep is made of: seeds and shards as they are written, rates, results as lines, merging, processes
// that die.
#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "sweep/rate.h"
#include "sweep/results_file.h"
#include "sweep/summary.h"
#include "sweep/workers.h"

namespace sim::sweep {
namespace sweep_test {

SeedList seeds(const char* text) {
  std::string why_not;
  const auto list = SeedList::read(text, why_not);
  REQUIRE_MESSAGE(list.has_value(), why_not);
  return *list;
}

TEST_CASE("seeds are read as they are written, and refused with a reason") {
  const SeedList list = seeds("5-7,100,1-2");
  CHECK(list.size() == 6);
  CHECK(list[0] == 5);
  CHECK(list[3] == 100);
  CHECK(list[5] == 2);
  CHECK(list.contains(6));
  CHECK_FALSE(list.contains(3));
  CHECK(list.text() == "5-7,100,1-2");
  for (const char* wrong :
       {"", "7-5", "1-3,3", "a", "1-", "-3", "1,,2", "99999999999999999999", "1-100000001"}) {
    CAPTURE(wrong);
    std::string why_not;
    CHECK_FALSE(SeedList::read(wrong, why_not).has_value());
    CHECK_FALSE(why_not.empty());
  }
}

TEST_CASE("every seed is in exactly one shard") {
  std::string why_not;
  for (std::uint64_t i = 0; i < 20; ++i) {
    int holders = 0;
    for (const char* text : {"1/3", "2/3", "3/3"}) holders += Shard::read(text, why_not)->holds(i) ? 1 : 0;
    CHECK(holders == 1);
  }
  for (const char* wrong : {"0/3", "4/3", "3", "1/0", "x/3", "1/3/5"}) {
    CAPTURE(wrong);
    CHECK_FALSE(Shard::read(wrong, why_not).has_value());
  }
}

TEST_CASE("a rate comes with the interval its truth lies in") {
  CHECK(text_of(Rate{0, 200}) == "0 of 200: true rate below 1.5 %");
  CHECK(text_of(Rate{13, 200}) == "13 of 200 = 6.5 %, true rate 3.8 % to 10.8 %");  // Wilson, by hand
  CHECK(interval_text(Rate{200, 200}) == "above 98.5 %");
  CHECK(interval_text(Rate{0, 0}) == "unknown");
  const Rate::Interval half = Rate{50, 100}.interval();
  CHECK(half.low == 403'831);  // of a table: 0.4038 to 0.5962
  CHECK(half.high == 596'168);
}

SeedResult failed(std::uint64_t seed, const char* anomaly) {
  SeedResult result{0, seed, Outcome::failed};
  result.signatures = {{"durable", anomaly, "kill"}};
  result.metrics = {{"lost", static_cast<std::int64_t>(seed)}};
  result.events = seed * 10;
  result.fingerprint = "00ff";
  result.meaning = "ff00";
  return result;
}

Head head_of(const char* list) {
  return {"b1", "shop", "0123456789abcdef0123", list, {{"", {}}, {"acks-1", {{"a.b", "1"}}}}, {}};
}

TEST_CASE("lines are read back as they were, and nothing else is") {
  const Head head = head_of("1-9");
  CHECK(*read_head(to_line(head)) == head);
  SeedResult result = failed(7, "LOST(acked)");
  result.note = "a \"note\"\nof two lines";
  CHECK(*read_result(to_line(result)) == result);
  const std::string line = to_line(result);
  for (std::size_t cut = 0; cut + 2 < line.size(); cut += 7) CHECK_FALSE(read_result(line.substr(0, cut)));
  CHECK_FALSE(read_head("{}"));
  CHECK_FALSE(read_head(line));
}

TEST_CASE("failures are grouped by how they failed, with the smallest seed of each") {
  Results results{head_of("1-9"), {}};
  for (const std::uint64_t seed : {8, 3, 5}) results.by_seed[{0, seed}] = failed(seed, "LOST(acked)");
  results.by_seed[{0, 1}] = failed(1, "DUP(log)");
  results.by_seed[{0, 2}] = SeedResult{0, 2};
  const SweepSummary summary = summarize(results);
  REQUIRE(summary.groups.size() == 2);
  CHECK(summary.groups[0].signature.anomaly == "LOST(acked)");
  CHECK(summary.groups[0].runs == 3);
  CHECK(summary.groups[0].smallest_seed == 3);
  CHECK(summary.groups[1].smallest_seed == 1);
  CHECK(summary.expected == 18);
  CHECK_FALSE(summary.is_whole());
  CHECK(exit_code(summary) == 1);
  CHECK(summary.configurations[0].metrics.at("lost").most == 8);
  results.by_seed[{1, 4}] = SeedResult{1, 4, Outcome::crashed, {}, "signal 9"};
  CHECK(exit_code(summarize(results)) == 5);
}

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "kraftsim-sweep-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::filesystem::path put(const char* name, const Results& results) const {
    CHECK_FALSE(write_whole(path / name, results.text()).has_value());
    return path / name;
  }
};

TEST_CASE("merging does not ask for order, nor minds a part twice, and refuses what is of another sweep") {
  const Folder folder;
  Results all{head_of("1-4"), {}}, odd = all, even = all;
  odd.head.shard = {1, 2};
  even.head.shard = {2, 2};
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    all.by_seed[{0, seed}] = failed(seed, "LOST(acked)");
    (seed % 2 == 1 ? odd : even).by_seed[{0, seed}] = failed(seed, "LOST(acked)");
  }
  const auto a = folder.put("a.jsonl", odd), b = folder.put("b.jsonl", even);
  CHECK(merge({a, b})->text() == all.text());
  CHECK(merge({b, a, a})->text() == all.text());
  const auto whole = folder.put("whole.jsonl", all);
  CHECK(merge({whole, b})->text() == all.text());

  even.head.build = "b2";
  const auto other_build = folder.put("c.jsonl", even);
  const auto refused = merge({a, other_build});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.problems()[0].message.find("build b1 and build b2") != std::string::npos);
  even.head.build = "b1";
  even.by_seed[{0, 1}] = failed(1, "DUP(log)");
  CHECK_FALSE(merge({a, folder.put("d.jsonl", even)}).ok());  // one seed, two results
}

TEST_CASE("a line that was cut off costs its seed; a broken one in the middle is an error") {
  const Folder folder;
  Results results{head_of("1-4"), {}};
  for (std::uint64_t seed = 1; seed <= 3; ++seed) results.by_seed[{0, seed}] = failed(seed, "LOST(acked)");
  const std::string text = results.text();
  const auto file = folder.path / "r.jsonl";
  CHECK_FALSE(write_whole(file, text.substr(0, text.size() - 20)).has_value());
  const auto read = read_results(file);
  REQUIRE(read.ok());
  CHECK(read->by_seed.size() == 2);
  CHECK(read.problems().size() == 1);
  std::string broken = text;
  broken.replace(broken.find("\"seed\":1"), 6, "\"SEED\"");
  CHECK_FALSE(write_whole(file, broken).has_value());
  CHECK_FALSE(read_results(file).ok());
}

TEST_CASE("a seed that kills its process costs no other") {
  Workers workers(2, [](const Task& task) {
    if (task.seed == 3) ::_exit(7);
    return std::to_string(task.seed * 2);
  });
  std::map<std::uint64_t, std::string> answers;
  std::string death;
  std::uint64_t next = 1;
  while (next <= 6 || workers.has_busy()) {
    std::string why_not;
    while (next <= 6 && workers.has_idle()) REQUIRE(workers.start({0, next++}, why_not));
    for (const Workers::Finished& one : workers.wait(1'000)) {
      if (one.death.empty())
        answers[one.task.seed] = one.answer;
      else
        death = std::to_string(one.task.seed) + ": " + one.death;
    }
  }
  CHECK(answers == std::map<std::uint64_t, std::string>{{1, "2"}, {2, "4"}, {4, "8"}, {5, "10"}, {6, "12"}});
  CHECK(death.starts_with("3: exit code 7"));
}

}  // namespace sweep_test
}  // namespace sim::sweep

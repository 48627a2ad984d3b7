// Each invariant is shown a run that breaks it, and it alone must speak up; a healthy run is silent.
#include "check/invariants.h"

#include <doctest/doctest.h>

#include <functional>

#include "observe/story.h"

namespace sim::check {
namespace {

using test::kBroker1;
using test::kBroker2;
using test::Story;

Invariants watching() {
  return Invariants(InvariantsSpec{{NodeId{1}, NodeId{2}, NodeId{3}}, {true}});
}

void healthy_start(Story& story) {
  story.leads(0, 0, 0);
  story.isr(0, {NodeId{1}, NodeId{2}, NodeId{3}});
  story.published(10, {0, 1}, 0);
}

TEST_CASE("a healthy run violates nothing") {
  Invariants invariants = watching();
  Story story(invariants);
  healthy_start(story);
  story.polled(30, 0, 0, 2);
  story.started(30, 0, 0, 0);
  story.done(31, 0, 0, 0);
  story.committed(32, 0, 1);
  story.leads(40, 1, 2, kBroker2);
  story.isr(40, {NodeId{2}, NodeId{3}}, kBroker2);
  story.polled(41, 0, 1, 2);
  story.started(41, 0, 1, 1);
  story.done(42, 0, 1, 1);
  story.committed(43, 0, 2);
  CHECK(invariants.violations().empty());
}

TEST_CASE("each invariant catches what breaks it, and says when") {
  struct Row {
    const char* invariant;
    std::function<void(Story&)> planted;
  };
  const Row rows[] = {
      {"one-leader-per-epoch", [](Story& s) { s.leads(50, 0, 2, kBroker2); }},
      {"high-watermark-monotone", [](Story& s) { s.high_watermark(50, 2, 1); }},
      {"high-watermark-monotone", [](Story& s) { s.high_watermark(50, 2, 3); }},
      {"one-batch-per-offset",
       [](Story& s) {
         s.placed(40, 2);
         s.accepted(40, 2);
         s.drained(45, Story::batch_of({2}));
         s.appended(50, 1, Story::batch_of({2}));
       }},
      {"read-below-high-watermark", [](Story& s) { s.polled(50, 0, 0, 3); }},
      {"acked-below-high-watermark",
       [](Story& s) {
         s.placed(40, 2);
         s.accepted(40, 2);
         s.drained(45, Story::batch_of({2}));
         s.appended(46, 2, Story::batch_of({2}));
         s.acknowledged(50, 2, Story::batch_of({2}));
       }},
      {"commit-within-log", [](Story& s) { s.committed(50, 0, 3); }},
      {"commit-within-log",
       [](Story& s) {
         s.tell(50, kBroker1, observe::OffsetsStored{"inventory", test::kOrders0, 7});
       }},
      {"isr-known", [](Story& s) { s.isr(50, {}); }},
      {"isr-known",
       [](Story& s) {
         s.isr(50, {NodeId{1}, NodeId{9}});
       }},
      {"isr-known",
       [](Story& s) {
         s.isr(50, {NodeId{1}, NodeId{2}, NodeId{2}});
       }},
      {"isr-known",
       [](Story& s) {
         s.isr(50, {NodeId{2}, NodeId{3}});
       }},
      {"stages-in-order", [](Story& s) { s.accepted(50, 2); }},
      {"stages-in-order",
       [](Story& s) {
         s.placed(40, 2);
         s.drained(50, Story::batch_of({2}));
       }},
      {"stages-in-order",
       [](Story& s) {
         s.placed(40, 2);
         s.accepted(40, 2);
         s.appended(50, 2, Story::batch_of({2}));
       }},
      {"stages-in-order", [](Story& s) { s.started(50, 0, 0, 0); }},
      {"stages-in-order",
       [](Story& s) {
         s.polled(40, 0, 0, 2);
         s.done(50, 0, 0, 0);
       }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.invariant);
    CAPTURE(&row - rows);
    Invariants invariants = watching();
    Story story(invariants);
    healthy_start(story);
    REQUIRE(invariants.violations().empty());
    row.planted(story);
    REQUIRE(invariants.violations().size() == 1);
    CHECK(invariants.violations()[0].times == 1);
    CHECK(invariants.violations()[0].invariant == row.invariant);
    CHECK(invariants.violations()[0].at == Instant{50ms});
    CHECK(invariants.violations()[0].seq > 0);
    CHECK(!invariants.violations()[0].what.empty());
  }
}

TEST_CASE("a replaced leader that has not noticed may append where its successor does") {
  Invariants invariants = watching();
  Story story(invariants);
  healthy_start(story);
  story.leads(40, 1, 2, kBroker2);
  for (const std::int64_t number : {2, 3}) {
    story.placed(41, number);
    story.accepted(41, number);
    story.drained(42, Story::batch_of({number}));
  }
  story.appended(43, 2, Story::batch_of({2}), 0, kBroker1);
  story.appended(43, 2, Story::batch_of({3}), 1, kBroker2);
  CHECK(invariants.violations().empty());
}

TEST_CASE("acks=1 may be acknowledged above the high watermark") {
  Invariants invariants(InvariantsSpec{{}, {false}});
  Story story(invariants);
  healthy_start(story);
  story.placed(40, 2);
  story.accepted(40, 2);
  story.drained(45, Story::batch_of({2}));
  story.appended(46, 2, Story::batch_of({2}));
  story.acknowledged(50, 2, Story::batch_of({2}));
  CHECK(invariants.violations().empty());
}

TEST_CASE("an invariant that is broken again and again is told once, and counted") {
  Invariants invariants = watching();
  Story story(invariants);
  healthy_start(story);
  for (int i = 0; i < 150; ++i) story.committed(50 + i, 0, 9);
  story.isr(300, {});
  REQUIRE(invariants.violations().size() == 2);
  CHECK(invariants.violations()[0].times == 150);
  CHECK(invariants.violations()[0].at == Instant{50ms});
  CHECK(invariants.violations()[1].invariant == "isr-known");
}

}  // namespace
}  // namespace sim::check

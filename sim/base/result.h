#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"

// What loading something yields: a value, or the list of everything that is wrong with the input.
//
// Loading goes on after a problem, so that a user sees all of them at once. Warnings travel with a
// value; a Result without a value holds at least one problem that is not a warning.
namespace sim {

struct Problem {
  std::string file{};
  int line = 0;    // from 1; 0 = the file as a whole
  int column = 0;  // from 1; 0 = the line as a whole
  std::string message{};
  std::string source_line{};  // the text of the line, shown beneath the message
  int caret_length = 0;       // how much of it to underline, from `column`
  std::string hint{};         // "did you mean ...?"
  bool warning = false;

  bool operator==(const Problem&) const = default;
};

using Problems = std::vector<Problem>;

inline bool has_error(const Problems& problems) {
  for (const Problem& problem : problems) {
    if (!problem.warning) return true;
  }
  return false;
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: meant to convert
  Result(T value, Problems warnings)
      : state_(std::in_place_index<0>, std::move(value)), problems_(std::move(warnings)) {
    SIM_CHECK(!has_error(problems_), "a value comes with warnings only");
  }
  Result(Problems problems) : state_(std::in_place_index<1>), problems_(std::move(problems)) {  // NOLINT
    SIM_CHECK(has_error(problems_), "a failure names at least one error");
  }
  Result(Problem problem) : Result(Problems{std::move(problem)}) {}  // NOLINT

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // REQUIRES: ok()
  T& value() & { return checked(); }
  const T& value() const& { return const_cast<Result*>(this)->checked(); }
  T&& value() && { return std::move(checked()); }
  T& operator*() & { return checked(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &checked(); }
  const T* operator->() const { return &value(); }

  // Errors and warnings in the order in which they were found.
  const Problems& problems() const { return problems_; }

 private:
  struct Nothing {};

  T& checked() {
    SIM_CHECK(ok(), "the value of a failed result was asked for");
    return *std::get_if<0>(&state_);
  }

  std::variant<T, Nothing> state_;
  Problems problems_;
};

}  // namespace sim

#pragma once

#include <cstdint>
#include <string>

// How often something happens, from how often it was seen: with the interval in which the true rate lies
// with 95 % confidence.
namespace sim::sweep {

struct Rate {
  std::uint64_t seen = 0;
  std::uint64_t of = 0;

  // In parts of a million. Wilson's score interval (1927); of none or all the rule of three: 3/n.
  struct Interval {
    std::uint64_t low = 0;
    std::uint64_t high = 1'000'000;
  };
  Interval interval() const;
};

// "13 of 200 = 6.5 %, true rate 3.8 % to 10.8 %"; "0 of 200: true rate below 1.5 %"
std::string text_of(const Rate& rate);
// The second half of it: "3.8 % to 10.8 %", "below 1.5 %".
std::string interval_text(const Rate& rate);
// Of parts of a million, two significant digits: "6.5 %", "0.012 %".
std::string percent_text(std::uint64_t per_million);

}  // namespace sim::sweep

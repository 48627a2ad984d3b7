#pragma once

#include <algorithm>

// Questions about short lists.
namespace sim {

template <class List, class Value>
bool contains(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

template <class List>
bool contains_all(const List& list, const List& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&list](const auto& one) { return contains(list, one); });
}

}  // namespace sim

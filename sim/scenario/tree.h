#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/result.h"

// What a scenario file says, before anybody asks what it means: maps, lists and scalars, each with the place
// it was written at.
//
// Scalars stay text: what `010` or `yes` is, the reader of the key decides, not YAML. A tree has no aliases
// (they are copied in), no duplicate keys, and limited depth and size, so whoever walks it may recurse.
namespace sim::scenario {

inline constexpr std::size_t kMaxFileBytes = 1'048'576;
inline constexpr int kMaxDepth = 32;
inline constexpr std::size_t kMaxValues = 50'000;  // aliases copied in
inline constexpr std::size_t kMaxProblems = 1'000;

// A text that problems can point into: the scenario, a properties file, a `--set`.
struct Source {
  std::string name;
  std::vector<std::string> lines;
  bool one_line = false;  // a `--set`: its name shows all of it
};

struct Place {
  int source = -1;  // index into Sources; -1 = written by nobody, a default
  int line = 0;     // from 1; 0 = the source as a whole
  int column = 0;   // from 1, in bytes; 0 = the line as a whole
  int length = 0;
};

struct Entry;

struct Value {
  enum class Kind { null, scalar, list, map };

  Kind kind = Kind::null;
  Place place{};
  std::string text{};        // of a scalar
  bool quoted = false;       // a scalar that was not plain
  bool invented = false;     // stands in for a required one that is missing or wrong, which has been reported
  bool lacks_wrong = false;  // of a map: it is without what was wrong in it, which has been reported
  bool literal = false;      // a scalar written as a block (|): its lines are the file's lines
  std::vector<Value> items;
  std::vector<Entry> entries;  // in the order of the file
  std::vector<Entry> overlay;  // properties set from outside, whatever shape those of the file have

  bool is_map() const { return kind == Kind::map; }
  bool is_list() const { return kind == Kind::list; }
  bool is_scalar() const { return kind == Kind::scalar; }

  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  // REQUIRES: it is there
  const Value& at(std::string_view key) const;
  // Replaces the entry of that key or adds one at the end.
  void set(std::string key, Value value);
};

struct Entry {
  std::string key;
  Place key_place;
  Value value;
};

Value scalar(std::string text, Place place = {});
Value empty_map(Place place = {});

// "a map", "a list", "empty", "\"text\"": how a message calls what it found.
std::string describe(const Value& value);

// All texts of one load and every problem found in them.
class Report {
 public:
  // Adds a text and returns its index.
  int add_source(std::string name, std::string_view text, bool one_line = false);
  const Source& source(int index) const { return sources_[static_cast<std::size_t>(index)]; }

  void error(const Place& place, std::string message, std::string hint = {});
  void warning(const Place& place, std::string message, std::string hint = {});

  // A problem somebody else found, in a file of theirs.
  void add(const Problem& problem);

  bool failed() const { return failed_; }
  bool full() const { return problems_.size() >= kMaxProblems; }  // more are counted, but not kept
  // Sorted by place, so that they read top to bottom as the file does.
  Problems take();

 private:
  void add(const Place& place, std::string message, std::string hint, bool warning);
  void keep(int source, Problem problem);

  std::vector<Source> sources_;
  std::vector<std::pair<int, Problem>> problems_;  // with their source
  std::set<std::tuple<int, int, int, std::string>> seen_;
  std::size_t left_out_ = 0;
  bool failed_ = false;
};

// Reads one YAML document; `source` is the text's index in `report`. Nothing but the first problem is
// reported, and no value returned: after a syntax error the rest is noise.
std::optional<Value> read_yaml(std::string_view text, int source, Report& report);

// Reads the documents of a file that was written for another tool (docker compose, Kubernetes, Spring): merge
// keys (<<) are merged and tags are passed over.
std::optional<std::vector<Value>> read_yaml_documents(std::string_view text, int source, Report& report);

}  // namespace sim::scenario

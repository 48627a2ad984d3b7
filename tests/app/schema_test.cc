#include "scenario/schema.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "app/json_schema.h"

namespace sim::app {

TEST_CASE("the schema file beside the scenarios is the program's") {
  std::ifstream in("scenarios/kraftsim-v1.schema.json");
  const std::string file{std::istreambuf_iterator<char>(in), {}};
  CHECK_MESSAGE(file == json_schema(), "kraftsim schema > scenarios/kraftsim-v1.schema.json makes it anew");
}

TEST_CASE("every key and property is in the schema") {
  const nlohmann::json schema = nlohmann::json::parse(json_schema());
  CHECK(schema["$schema"] == "http://json-schema.org/draft-07/schema#");
  CHECK(schema["properties"]["cluster"]["properties"]["brokers"]["minimum"] == 1);
  CHECK(schema["properties"]["clients"]["additionalProperties"]["dependencies"]["members"][0] == "consumes");
  const std::string text = json_schema();
  for (const scenario::Key& key : scenario::keys()) {
    CAPTURE(key.path);
    if (key.last() != "<name>") CHECK(text.find("\"" + std::string(key.last()) + "\"") != std::string::npos);
  }
  for (const scenario::Property& property : scenario::properties()) {
    CAPTURE(property.name);
    if (property.status == scenario::Status::removed || property.name.back() == '*') continue;
    CHECK(text.find("\"" + std::string(property.name) + "\"") != std::string::npos);
  }
}

}  // namespace sim::app

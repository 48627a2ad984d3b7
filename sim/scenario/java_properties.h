#pragma once

#include <string>
#include <string_view>
#include <vector>

// Text of properties as java.util.Properties.load takes it apart: logical lines, their names and values,
// escapes resolved. Kafka reads its files so, before it asks what a name means.
//
//   - '#' and '!' begin a comment only as the first character of a line; elsewhere they are part of the
//   value;
//   - a name ends at the first '=', ':' or blank that is not escaped; blanks around the separator do not
//   count;
//   - a backslash at the end of a line goes on with the next one, whose leading blanks do not count;
//   - \t \n \r \f and \uXXXX stand for characters, any other escaped character for itself;
//   - blanks are the space, the tab and the form feed; a name alone has an empty value.
namespace sim::scenario {

// A stretch of the text, for messages. Lines and columns count from 1, columns in bytes.
struct TextPlace {
  int line = 0;
  int column = 0;
  int length = 0;  // in its first line
};

struct JavaProperty {
  std::string name;
  std::string value;
  TextPlace name_place{};
  TextPlace value_place{};  // of the name if the value is empty
  std::string problem;      // why it cannot be read, which in Java is an exception; then it has no name
};

enum class Encoding { utf8, latin1 };

// In the order of the text; the result is UTF-8. With latin1 each byte stands for a character of its own, as
// for Kafka, which hands Properties a stream of bytes.
std::vector<JavaProperty> read_java_properties(std::string_view text, Encoding encoding);

// Each byte as the character of that number.
std::string latin1_to_utf8(std::string_view bytes);

}  // namespace sim::scenario

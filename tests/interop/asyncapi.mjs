// The official parser reads the published AsyncAPI document without an error.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
const errors = diagnostics.filter((one) => one.severity === 0);
for (const one of diagnostics) console.log(`${["error", "warning", "info", "hint"][one.severity]}: ${one.path.join(".")}: ${one.message}`);
if (errors.length || !document) process.exit(1);
console.log(
  `AsyncAPI ${document.version()}: ${document.channels().length} channels, ${document.operations().length} operations, ` +
    `${document.messages().length} messages, no error`,
);

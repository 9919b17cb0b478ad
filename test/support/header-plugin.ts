/** A plugin of the proxy-wasm ABI 0.2.1 that adds a header to each response. */
import wabt from "wabt";

/** @param value of the header `x-plugin` */
export async function headerPlugin(value: string): Promise<Buffer> {
  const tools = await wabt();
  const module = tools.parseWat("header-plugin.wat", text(value));
  try {
    return Buffer.from(module.toBinary({}).buffer);
  } finally {
    module.destroy();
  }
}

/** The second of the ABI's header maps is that of responses. */
function text(value: string): string {
  return `(module
    (import "env" "proxy_add_header_map_value"
      (func $add (param $map i32) (param $key i32) (param i32) (param $value i32) (param i32) (result i32)))
    (memory (export "memory") 2)
    (data (i32.const 16) "x-plugin")
    (data (i32.const 32) "${value}")
    (global $free (mut i32) (i32.const 1024))
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "proxy_on_memory_allocate") (param $size i32) (result i32)
      global.get $free
      (global.set $free (i32.add (global.get $free) (local.get $size))))
    (func (export "proxy_on_context_create") (param i32 i32))
    (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
    (func (export "proxy_on_configure") (param i32 i32) (result i32) i32.const 1)
    (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
      (drop (call $add (i32.const 2) (i32.const 16) (i32.const 8) (i32.const 32) (i32.const ${value.length})))
      i32.const 0))`;
}

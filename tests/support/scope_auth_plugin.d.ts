/** The name by which a builder finds the plugin, which registers itself. */
declare const pluginName: string;
export default pluginName;

/** weixin: the channel to WeChat by Tencent's iLink bot API; here the logins by QR code and the accounts. */
import { weixinPlugin } from "./plugin.ts";

export default weixinPlugin();
